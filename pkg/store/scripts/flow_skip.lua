-- flow_skip: a person puts the set-up of a factor off.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:f:<h>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 most times
-- Returns {1} also for a repeat in this flow · {0} flow gone or of another browser · {6} account not active or a
--         generation moved · {17} there is a factor, it was reset, or it was put off often enough
-- Promises: counted once a flow, never more than the most under any race.
local fl = redis.call('HMGET', KEYS[2], 'bind', 'ep', 'pwgen', 'sk')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine then return {0} end
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfastate', 'skips')
if a[1] ~= 'active' or a[2] ~= fl[2] or a[3] ~= fl[3] then return {6} end
if a[4] ~= 'never' and a[4] ~= 'off' then return {17} end
if fl[4] == '1' then return {1} end
if tonumber(a[5] or '0') >= tonumber(ARGV[2]) then return {17} end
redis.call('HINCRBY', KEYS[1], 'skips', 1)
redis.call('HSET', KEYS[2], 'sk', '1')
return {1}
