-- session_create: a session begins, and the one it replaces ends.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:s:<h>  3 (optional) lg:{T}:s:<h> of the session replaced
-- ARGV  1 ep  2 pwgen  3 idle life, ms  4 absolute end, ms  5 sealed session
--   value: end ms|sealed
-- Returns {1} · {6} account not active or a generation moved · {17} the absolute end has passed
-- Promises: no session for an account that changed after the proof; the old handle is dead when the new one lives.
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen')
if a[1] ~= 'active' or a[2] ~= ARGV[1] or a[3] ~= ARGV[2] then return {6} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local left = tonumber(ARGV[4]) - now
if left <= 0 then return {17} end
if KEYS[3] then redis.call('UNLINK', KEYS[3]) end
redis.call('SET', KEYS[2], ARGV[4] .. '|' .. ARGV[5], 'PX', math.min(tonumber(ARGV[3]), left))
return {1}
