-- flow_take: end a flow, once: it moves to an account, or an error is sent.
-- KEYS  1 the flow
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'
-- Returns {1, ms that it would have lived on} · {0} unknown, ended, or of another browser
local b = redis.call('HGET', KEYS[1], 'bind')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == b then mine = true end end
if not mine then return {0} end
local left = redis.call('PTTL', KEYS[1])
redis.call('UNLINK', KEYS[1])
return {1, left}
