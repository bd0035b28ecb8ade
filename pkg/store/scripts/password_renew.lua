-- password_renew: another record of the same password.
-- KEYS  1 lg:{T}:acct
-- ARGV  1 account id  2 pwgen as of the sign-in that showed the password  3 sealed password record
-- Returns {1} · {6} another account, not active, or the password is another one by now · {8} record lost or broken
-- Promises: never writes over a password that was chosen meanwhile; no epoch and no generation moves.
local a = redis.call('HMGET', KEYS[1], 'id', 'state', 'pwgen', 'pw')
if a[1] and (not a[2] or not a[3] or not a[4]) then return {8} end
if a[1] ~= ARGV[1] or a[2] ~= 'active' or a[3] ~= ARGV[2] then return {6} end
redis.call('HSET', KEYS[1], 'pw', ARGV[3])
return {1}
