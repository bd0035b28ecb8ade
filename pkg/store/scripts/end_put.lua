-- end_put: keep what apps are to be told.
-- KEYS  1 lg:{end}:due  2 lg:{end}:list  3 lg:{end}:busy
-- ARGV  1 most entries  2 life of the keys, ms  then two for each entry: id, <client>.<random>  sealed entry
--   due   id by the time it is due, ms    list  m:<id> sealed entry  t:<id> tries that failed
--   busy  <client> by the time until which it is lent, ms
-- Returns {1} · {16} no room: what came before it was kept
-- Promises: bounded; the keys end.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local code = 1
for i = 3, #ARGV, 2 do
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
    code = 16
  else
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[i])
    redis.call('HSET', KEYS[2], 'm:' .. ARGV[i], ARGV[i + 1])
  end
end
for k = 1, 3 do redis.call('PEXPIRE', KEYS[k], ARGV[2]) end
return {code}
