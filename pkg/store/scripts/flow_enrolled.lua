-- flow_enrolled: the evidence of a confirmed set-up, written into its flow after factor_confirm.
-- KEYS  1 lg:{T}:f:<h>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 authenticator id  3 new factor generation
-- Returns {1, now ms} · {0} unknown, ended, or of another browser
local b = redis.call('HGET', KEYS[1], 'bind')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == b then mine = true end end
if not mine then return {0} end
local t = redis.call('TIME') local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HSET', KEYS[1], 'otp', now, 'otpid', ARGV[2], 'enr', '1', 'mg', ARGV[3])
redis.call('HDEL', KEYS[1], 'tk')
return {1, now}
