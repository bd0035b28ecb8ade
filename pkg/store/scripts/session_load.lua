-- session_load: a live session with its account and consents; its idle time begins anew.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:s:<h>  3 lg:{T}:con  4 lg:{T}:prof
-- ARGV  1 idle life, ms  2 client id
-- Returns {1, sealed, id, company, state, ep, pwgen, mfagen, mfastate, consent|'', sealed profile}
--         {0} unknown, idle too long, or past its end · {8} record lost or broken
-- Promises: nothing moves the absolute end; it is counted by the store's clock.
local v = redis.call('GET', KEYS[2])
if not v then return {0} end
local fin, sealed = string.match(v, '^(%d+)|(.*)$')
if not fin then return {8} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local left = tonumber(fin) - now
if left <= 0 then redis.call('UNLINK', KEYS[2]) return {0} end
local a = redis.call('HMGET', KEYS[1], 'id', 'company', 'state', 'ep', 'pwgen', 'mfagen', 'mfastate')
for i = 1, 7 do if not a[i] then return {8} end end
local p = redis.call('GET', KEYS[4])
if not p then return {8} end
redis.call('PEXPIRE', KEYS[2], math.min(tonumber(ARGV[1]), left))
return {1, sealed, a[1], a[2], a[3], a[4], a[5], a[6], a[7], redis.call('HGET', KEYS[3], ARGV[2]) or '', p}
