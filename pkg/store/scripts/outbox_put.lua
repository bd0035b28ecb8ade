-- outbox_put: keep a message for each of its addresses, once for each.
-- KEYS  1 lg:{out}:due  2 lg:{out}:mail  3 lg:{out}:age  4 lg:{out}:sent
-- ARGV  1 most entries  2 life of the keys, ms  3 1 if void, else 0
--       then two for each address: id  sealed entry
--   due   id by the time it is due, ms    sent  id by the time it may be forgotten, ms
--   age   id by the time it was put, ms; 2^50 is added to what is not void
--   mail  m:<id> sealed entry  t:<id> number of claims
-- Returns {1} · {16} no room, and no void entry left that could go: what came before it was kept
-- Promises: an id that waits or is remembered is left alone; void or not, the same is done.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local born = now
if ARGV[3] ~= '1' then born = now + 1125899906842624 end
local code = 1
for i = 4, #ARGV, 2 do
  local id = ARGV[i]
  local waits = redis.call('ZSCORE', KEYS[1], id)
  local sent = tonumber(redis.call('ZSCORE', KEYS[4], id) or '0')
  if not waits and sent <= now then
    local room = true
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
      local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
      if first[1] and tonumber(first[2]) < 1125899906842624 then
        redis.call('ZREM', KEYS[1], first[1])
        redis.call('ZREM', KEYS[3], first[1])
        redis.call('HDEL', KEYS[2], 'm:' .. first[1], 't:' .. first[1])
      else
        room = false
        code = 16
      end
    end
    if room then
      redis.call('ZADD', KEYS[1], string.format('%.0f', now), id)
      redis.call('ZADD', KEYS[3], string.format('%.0f', born), id)
      redis.call('HSET', KEYS[2], 'm:' .. id, ARGV[i + 1])
    end
  end
end
for k = 1, 3 do redis.call('PEXPIRE', KEYS[k], ARGV[2]) end
return {code}
