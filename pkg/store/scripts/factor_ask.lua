-- factor_ask: what is asked of an authenticator without shared secrets, and its records.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:f:<h>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 kind  3 sealed challenge, or '' to read the one there
-- Returns {1, now ms, gen, sealed challenge, id, sealed record, ...} · {0} flow unknown, ended, or of another browser, or
--         nothing was asked · {6} account not active or a generation moved · {8} record lost or broken · {11} locked
--         {12} nothing enrolled · {14} there is no such authenticator
-- Promises: one challenge a flow and kind; a new one replaces the one before.
local fl = redis.call('HMGET', KEYS[3], 'bind', 'ep', 'pwgen')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine then return {0} end
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfagen', 'mfastate')
if a[1] ~= 'active' or a[2] ~= fl[2] or a[3] ~= fl[3] then return {6} end
local m = redis.call('HMGET', KEYS[2], 'state', 'gen', 'ids')
if not m[1] and not m[2] then
  if redis.call('EXISTS', KEYS[2]) == 0 and (a[5] == 'reset' or a[5] == 'off' or a[5] == 'never' and a[4] == '0') then return {12} end
  return {8}
end
if not m[1] or not m[2] or not m[3] or m[2] ~= a[4] then return {8} end
if m[1] == 'locked' then return {11} end
if m[1] ~= 'on' then return {8} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local out = {1, now, m[2], ARGV[3]}
for id in string.gmatch(m[3], '[^,]+') do
  if ARGV[2] == string.match(id, '^(%l+)%.') then
    local s = redis.call('HGET', KEYS[2], 's:' .. id)
    if not s then return {8} end
    out[#out + 1] = id out[#out + 1] = s
  end
end
if #out == 4 then return {14} end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[3], 'q:' .. ARGV[2], ARGV[3])
else
  out[4] = redis.call('HGET', KEYS[3], 'q:' .. ARGV[2])
  if not out[4] then return {0} end
end
return out
