-- register: add a client that registers itself, as one of the uses of an initial access token.
-- KEYS  1 lg:{reg}:v  2 lg:{reg}:cl  3 lg:{reg}:it:<h>, the uses that are left
-- ARGV  1 client id  2 sealed record
-- Returns {1, version} · {0} token unknown, expired or used up · {8} client id in use
-- Promises: of any number of parallel registrations as many succeed as the token has uses; both writes or neither.
local left = tonumber(redis.call('GET', KEYS[3]) or '0')
if left < 1 then return {0} end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return {8} end
if left == 1 then redis.call('UNLINK', KEYS[3]) else redis.call('DECR', KEYS[3]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return {1, redis.call('INCR', KEYS[1])}
