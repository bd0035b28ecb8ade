-- factor_prove: spend a challenge that was answered rightly.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:f:<h>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 gen as returned by factor_ask  3 kind
--       4 sealed challenge, as it was read  5 authenticator id  6 sealed record from now on  7 method
-- Returns {1, now ms} · {0} flow gone or of another browser · {6} account or a generation moved · {8} record lost or broken
--         {11} locked · {14} the challenge was answered, or replaced, before
-- Promises: a challenge is accepted at most once; the evidence stands in the flow in the same step.
local fl = redis.call('HMGET', KEYS[3], 'bind', 'ep', 'pwgen', 'q:' .. ARGV[3])
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine then return {0} end
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfagen')
if a[1] ~= 'active' or a[2] ~= fl[2] or a[3] ~= fl[3] then return {6} end
local m = redis.call('HMGET', KEYS[2], 'state', 'gen', 's:' .. ARGV[5])
if not m[1] or not m[2] then return {8} end
if m[1] == 'locked' then return {11} end
if m[2] ~= ARGV[2] or m[2] ~= a[4] then return {6} end
if m[1] ~= 'on' or not m[3] then return {8} end
if fl[4] ~= ARGV[4] then return {14} end
local t = redis.call('TIME') local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HDEL', KEYS[3], 'q:' .. ARGV[3])
redis.call('HSET', KEYS[2], 's:' .. ARGV[5], ARGV[6], 'u:' .. ARGV[5], now)
redis.call('HSET', KEYS[3], 'ev', (redis.call('HGET', KEYS[3], 'ev') or '') .. ARGV[7] .. '|' .. now .. '|' .. m[2] .. ',')
return {1, now}
