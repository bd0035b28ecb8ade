-- ticket: a one-time set-up ticket for an account that has no factor: reset by an admin, or not set up in time.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:tk:<h>
-- ARGV  1 account id  2 life, ms
-- Returns {1} · {0} no such account · {8} record lost or broken · {17} the account has a factor
-- Promises: the ticket holds the generations of password and factor, so a change of the password or a further reset makes
--   it worthless.
local a = redis.call('HMGET', KEYS[1], 'id', 'state', 'pwgen', 'mfastate', 'mfagen')
if a[1] ~= ARGV[1] then return {0} end
if not a[2] or not a[3] or not a[4] or not a[5] then return {8} end
if a[2] ~= 'active' or a[4] == 'on' then return {17} end
redis.call('SET', KEYS[2], a[3] .. ' ' .. a[5], 'PX', ARGV[2])
return {1}
