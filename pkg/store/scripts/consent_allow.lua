-- consent_allow: add scopes to what an account allowed a client.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:con
-- ARGV  1 account id  2 client id  3 most scopes kept  4.. scopes
--   field <client id> = ms|scope scope ...
-- Returns {1} · {6} account not active or another's · {16} too many scopes
local a = redis.call('HMGET', KEYS[1], 'id', 'state')
if a[1] ~= ARGV[1] or a[2] ~= 'active' then return {6} end
local have, seen, n = '', {}, 0
local v = redis.call('HGET', KEYS[2], ARGV[2])
if v then have = string.match(v, '^%d+|(.*)$') or '' end
for s in string.gmatch(have, '%S+') do seen[s] = true n = n + 1 end
for i = 4, #ARGV do
  if not seen[ARGV[i]] then
    seen[ARGV[i]] = true
    n = n + 1
    if have ~= '' then have = have .. ' ' end
    have = have .. ARGV[i]
  end
end
if n > tonumber(ARGV[3]) then return {16} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[2], string.format('%.0f', now) .. '|' .. have)
return {1}
