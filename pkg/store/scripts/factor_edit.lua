-- factor_edit: what a person changes in the own authenticators outside a set-up.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:dev
-- ARGV  1 account id  2 ep  3 pwgen  4 mfagen, as of the page  5 act
--   act: name <id> <sealed name> · remove <id> <keep 0|1> · codes <rgen of the page> <HMAC>...
-- Returns {1, ep, pwgen, mfagen} · {0} no such authenticator · {6} account not active, or a generation moved, rgen too
--         {8} record lost or broken · {11} locked · {17} the last authenticator stays
-- Promises: a removed authenticator is dead at once, and with it every remembered device; the last one goes only where
--   keep is 0, and the recovery codes with it; new codes leave none of the old, and one form makes them once.
local a = redis.call('HMGET', KEYS[1], 'id', 'state', 'ep', 'pwgen', 'mfagen', 'mfastate')
if a[1] ~= ARGV[1] or a[2] ~= 'active' or a[3] ~= ARGV[2] or a[4] ~= ARGV[3] or a[5] ~= ARGV[4] then return {6} end
local m = redis.call('HMGET', KEYS[2], 'state', 'gen', 'ids')
if not m[1] or not m[2] or not m[3] or m[2] ~= a[5] then return {8} end
if m[1] == 'locked' then return {11} end
if m[1] ~= 'on' or a[6] ~= 'on' then return {8} end
local act, gen = ARGV[5], tonumber(a[5])
if act == 'codes' then
  if (redis.call('HGET', KEYS[2], 'rgen') or '0') ~= ARGV[6] then return {6} end
  redis.call('HINCRBY', KEYS[2], 'rgen', 1)
  local all = redis.call('HKEYS', KEYS[2])
  for i = 1, #all do if string.sub(all[i], 1, 2) == 'r:' then redis.call('HDEL', KEYS[2], all[i]) end end
  for i = 7, #ARGV do redis.call('HSET', KEYS[2], 'r:' .. ARGV[i], '1') end
  return {1, a[3], a[4], a[5]}
end
local ids, found = {}, false
for id in string.gmatch(m[3], '[^,]+') do
  if id == ARGV[6] then found = true else ids[#ids + 1] = id end
end
if not found then return {0} end
if act == 'name' then
  redis.call('HSET', KEYS[2], 'n:' .. ARGV[6], ARGV[7])
  return {1, a[3], a[4], a[5]}
elseif act ~= 'remove' then return {17} end
if #ids == 0 and ARGV[7] ~= '0' then return {17} end
gen = gen + 1
redis.call('HSET', KEYS[1], 'mfagen', gen)
redis.call('UNLINK', KEYS[3])
if #ids == 0 then
  redis.call('UNLINK', KEYS[2])
  redis.call('HSET', KEYS[1], 'mfastate', 'off')
  return {1, a[3], a[4], gen}
end
local old, xs = ARGV[6], {}
local s = redis.call('HGET', KEYS[2], 's:' .. old)
if s then
  xs[1] = old
  redis.call('HSET', KEYS[2], 'x:' .. old, s)
end
for id in string.gmatch(redis.call('HGET', KEYS[2], 'xs') or '', '[^,]+') do
  if #xs < 3 then xs[#xs + 1] = id else redis.call('HDEL', KEYS[2], 'x:' .. id, 'n:' .. id) end
end
redis.call('HDEL', KEYS[2], 's:' .. old, 'l:' .. old, 'a:' .. old, 'u:' .. old)
redis.call('HSET', KEYS[2], 'xs', table.concat(xs, ','), 'gen', gen, 'ids', table.concat(ids, ','))
redis.call('HINCRBY', KEYS[2], 'devgen', 1)
return {1, a[3], a[4], gen}
