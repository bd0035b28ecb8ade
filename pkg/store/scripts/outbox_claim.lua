-- outbox_claim: lend due entries to one node; void ones end here.
-- KEYS  1 lg:{out}:due  2 lg:{out}:mail  3 lg:{out}:age  4 lg:{out}:sent
-- ARGV  1 most entries  2 lease, ms  3 memory of ids, ms  4 most ids remembered
--   fields as outbox_put
-- Returns {1, n, (id, claims, age in ms, sealed entry)...} n entries ended here, void or torn
-- Promises: an entry is lent to one caller until its lease ends; by the store's clock alone.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local out, dropped = {1, 0}, 0
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1] + 200)
for _, id in ipairs(ids) do
  if #out - 2 >= 4 * ARGV[1] then break end
  local born = tonumber(redis.call('ZSCORE', KEYS[3], id) or '0')
  local m = redis.call('HGET', KEYS[2], 'm:' .. id)
  if m and born >= 1125899906842624 then
    redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), id)
    local n = redis.call('HINCRBY', KEYS[2], 't:' .. id, 1)
    for _, v in ipairs({id, n, string.format('%.0f', now - (born - 1125899906842624)), m}) do out[#out + 1] = v end
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[2], 'm:' .. id, 't:' .. id)
    redis.call('ZADD', KEYS[4], string.format('%.0f', now + ARGV[3]), id)
    dropped = dropped + 1
  end
end
out[2] = dropped
if dropped > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now))
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, string.format('%.0f', -1 - ARGV[4]))
  redis.call('PEXPIRE', KEYS[4], ARGV[3])
end
return out
