-- pend_begin: the pending secret of a flow's set-up: stored, or the one that is there.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:f:<h>  4 lg:{T}:pend:<flow>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 sealed secret  3 most guesses per flow
--       4 mode: 'first', or 'add' for one more and for a replacement  5 kind
--       6 for 'add': ms before the flow began from which on a factor counts as shown lately
--   fields of pend: s:<kind> sealed secret, mg the factor generation that the set-up began under
-- Returns {1, sealed secret} · {0} flow unknown, ended, of another browser, or out of guesses
--         {6} account not active or a generation moved · {8} record lost or broken · {11} locked
--         {17} mode does not fit the state, or no factor was shown lately
-- Promises: one secret a flow and kind; it lives no longer than the flow; never shown to an account that is enrolled but
--   after a factor was shown in this flow or shortly before it, nor to one whose factor was lost.
local fl = redis.call('HMGET', KEYS[3], 'bind', 'ep', 'pwgen', 'pn', 'ev', 'fa', 'mg', 'cr')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine or tonumber(fl[4] or '0') >= tonumber(ARGV[3]) then return {0} end
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfagen', 'mfastate')
if a[1] ~= 'active' or a[2] ~= fl[2] or a[3] ~= fl[3] then return {6} end
if ARGV[4] == 'add' then
  if a[5] ~= 'on' then return {17} end
  local m = redis.call('HMGET', KEYS[2], 'state', 'gen')
  if not m[1] or m[2] ~= a[4] then return {8} end
  if m[1] == 'locked' then return {11} end
  local shown = 0
  if fl[7] == a[4] then shown = tonumber(fl[6] or '0') end
  for ms, gen in string.gmatch(fl[5] or '', '%l+|(%d+)|(%d+),') do
    if gen == a[4] then shown = math.max(shown, tonumber(ms)) end
  end
  if not fl[8] or shown < tonumber(fl[8]) - tonumber(ARGV[6]) then return {17} end
else
  if a[5] == 'on' then return {17} end
  if redis.call('EXISTS', KEYS[2]) ~= 0 then return {8} end
  if not (a[5] == 'reset' or a[5] == 'off' or a[5] == 'never' and a[4] == '0') then return {8} end
end
local s = redis.call('HGET', KEYS[4], 's:' .. ARGV[5])
if s then return {1, s} end
local left = redis.call('PTTL', KEYS[3])
if left <= 0 then return {0} end
redis.call('HSET', KEYS[4], 's:' .. ARGV[5], ARGV[2], 'mg', a[4])
redis.call('PEXPIRE', KEYS[4], left)
return {1, ARGV[2]}
