-- end_claim: lend due entries to one node, and their clients with them.
-- KEYS  1 lg:{end}:due  2 lg:{end}:list  3 lg:{end}:busy
-- ARGV  1 most entries  2 lease, ms  3 ms by which entries of a client that is lent are put off  4 life of the keys, ms
-- Returns {1, n, (id, failures, sealed entry)...} n entries were put off or are torn
-- Promises: an entry, and its client, is lent to one caller until its lease ends; a client that is lent holds up no
--   other one; by the store's clock alone.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local out, mine, aside = {1, 0}, {}, 0
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1] + 200)
for _, id in ipairs(ids) do
  if #out - 2 >= 3 * ARGV[1] then break end
  local c = string.match(id, '^[^.]+') or ''
  local m = redis.call('HGET', KEYS[2], 'm:' .. id)
  if not m then
    redis.call('ZREM', KEYS[1], id)
    aside = aside + 1
  elseif not mine[c] and tonumber(redis.call('ZSCORE', KEYS[3], c) or '0') > now then
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), id)
    aside = aside + 1
  else
    mine[c] = true
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), id)
    redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[2]), c)
    for _, v in ipairs({id, redis.call('HGET', KEYS[2], 't:' .. id) or '0', m}) do out[#out + 1] = v end
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
if redis.call('PTTL', KEYS[3]) < 0 then redis.call('PEXPIRE', KEYS[3], ARGV[4]) end
out[2] = aside
return out
