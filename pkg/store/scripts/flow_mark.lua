-- flow_mark: add fields to a flow after the password.
-- KEYS  1 lg:{T}:f:<h>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2.. fields and values
-- Returns {1} · {0} unknown, ended, or of another browser
-- Promises: a flow that has ended is not brought back.
local b = redis.call('HGET', KEYS[1], 'bind')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == b then mine = true end end
if not mine then return {0} end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return {1}
