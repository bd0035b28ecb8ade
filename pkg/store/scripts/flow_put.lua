-- flow_put: store a flow, before or after the password.
-- KEYS  1 lg:{F}:flow or lg:{T}:f:<h>
-- ARGV  1 life, ms  2.. fields and values
-- Returns {1} · {8} the id is in use
if redis.call('EXISTS', KEYS[1]) ~= 0 then return {8} end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {1}
