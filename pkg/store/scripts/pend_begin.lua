-- pend_begin: the pending secret of a flow's set-up: stored, or the one that is there.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:f:<h>  4 lg:{T}:pend:<flow>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 sealed secret  3 most guesses per flow
--   fields of pend: s sealed secret, mg the factor generation that the set-up began under
-- Returns {1, sealed secret} · {0} flow unknown, ended, of another browser, or out of guesses
--         {6} account not active or a generation moved · {8} record lost or broken · {17} enrolled
-- Promises: one secret per flow; it lives no longer than the flow; never shown to an account that is enrolled, nor to
--   one whose factor was lost.
local fl = redis.call('HMGET', KEYS[3], 'bind', 'ep', 'pwgen', 'pn')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine or tonumber(fl[4] or '0') >= tonumber(ARGV[3]) then return {0} end
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfagen', 'mfastate')
if a[1] ~= 'active' or a[2] ~= fl[2] or a[3] ~= fl[3] then return {6} end
if a[5] == 'on' then return {17} end
if redis.call('EXISTS', KEYS[2]) ~= 0 then return {8} end
if not (a[5] == 'reset' or a[5] == 'never' and a[4] == '0') then return {8} end
local s = redis.call('HGET', KEYS[4], 's')
if s then return {1, s} end
local left = redis.call('PTTL', KEYS[3])
if left <= 0 then return {0} end
redis.call('HSET', KEYS[4], 's', ARGV[2], 'mg', a[4])
redis.call('PEXPIRE', KEYS[4], left)
return {1, ARGV[2]}
