-- flow_bind: tie a flow that was stored unbound to a browser, once.
-- KEYS  1 the flow
-- ARGV  1 hash of the secret in the binding cookie
-- Returns {1} · {0} unknown, ended, or bound before
if redis.call('HGET', KEYS[1], 'bind') ~= '' then return {0} end
redis.call('HSET', KEYS[1], 'bind', ARGV[1])
return {1}
