-- flow_put: store a flow, before or after the password.
-- KEYS  1 lg:{F}:flow or lg:{T}:f:<h>
-- ARGV  1 life, ms  2.. fields and values
--   fields of a flow after the password: cr ms of the request · ev what was shown in it, 'method|ms|mfagen,' for each · mg the factor generation
--   under which the evidence of its session counts · fa ms of the newest factor of that session, 0 if none
-- Returns {1} · {8} the id is in use
if redis.call('EXISTS', KEYS[1]) ~= 0 then return {8} end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {1}
