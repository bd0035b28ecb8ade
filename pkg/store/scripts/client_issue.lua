-- client_issue: an access token for client credentials: a grant without an account.
-- KEYS  1 lg:{R}:c:<gid>  2 lg:{R}:g:<gid>  3 lg:{R}:a:<gid>:<aid>, R random
-- ARGV  1 client id  2 sealed grant  3 access token overlay  4 life, ms
-- Returns {1} · {8} gid in use
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) ~= 0 then return {8} end
redis.call('HSET', KEYS[1], 'cid', ARGV[1], 'off', '0', 'ro', '0', 'mx', '0', 'ep', '0', 'mg', '0', 'st', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
return {1}
