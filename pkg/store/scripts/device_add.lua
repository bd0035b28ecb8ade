-- device_add: remember a browser.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:mfa  3 lg:{T}:dev
-- ARGV  1 ep  2 pwgen  3 mfagen, as of the pass  4 device id  5 HMAC of the cookie's secret  6 sealed label and times
--       7 absolute end, ms  8 most devices
--   fields as device_use; i:<id> the sealed part
-- Returns {1} · {6} account not active or a generation moved · {8} record lost or broken · {11} locked
--         {17} the end has passed
-- Promises: bound to the generations in force; devices that have ended go, and of too many the one that ends first.
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen', 'mfagen')
if a[1] ~= 'active' or a[2] ~= ARGV[1] or a[3] ~= ARGV[2] or a[4] ~= ARGV[3] then return {6} end
local m = redis.call('HMGET', KEYS[2], 'state', 'gen', 'devgen')
if not m[1] or not m[2] or not m[3] or m[2] ~= a[4] then return {8} end
if m[1] ~= 'on' then return {11} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local last = tonumber(ARGV[7])
if last <= now then return {17} end
local n, first, firstend = 0, nil, nil
local all = redis.call('HGETALL', KEYS[3])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'd:' then
    local id = string.sub(all[i], 3)
    local fin, dg, pg = string.match(all[i + 1], '^[^|]*|[^|]*|%d+|(%d+)|(%d+)|(%d+)$')
    fin = tonumber(fin)
    if not fin or fin <= now or dg ~= m[3] or pg ~= a[3] then
      redis.call('HDEL', KEYS[3], all[i], 'i:' .. id)
    else
      n = n + 1
      last = math.max(last, fin)
      if not firstend or fin < firstend then first, firstend = id, fin end
    end
  end
end
if n >= tonumber(ARGV[8]) then redis.call('HDEL', KEYS[3], 'd:' .. first, 'i:' .. first) end
redis.call('HSET', KEYS[3], 'd:' .. ARGV[4], string.format('%s||0|%s|%s|%s', ARGV[5], ARGV[7], m[3], a[3]), 'i:' .. ARGV[4], ARGV[6])
redis.call('PEXPIRE', KEYS[3], last - now)
return {1}
