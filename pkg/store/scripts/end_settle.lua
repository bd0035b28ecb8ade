-- end_settle: an entry ends or is given back, or its client is.
-- KEYS  1 lg:{end}:due  2 lg:{end}:list  3 lg:{end}:busy
-- ARGV  1 id|''  2 wait, ms; below 0: it is taken out  3 1 if a try failed, else 0  4 client that is lent no more|''
-- Returns {1} · {0} the entry is not there any more
-- Promises: what is gone does not come back.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[4] ~= '' then redis.call('ZREM', KEYS[3], ARGV[4]) end
if ARGV[1] == '' then return {1} end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {0} end
if tonumber(ARGV[2]) < 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], 'm:' .. ARGV[1], 't:' .. ARGV[1])
  return {1}
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
if ARGV[3] == '1' then redis.call('HINCRBY', KEYS[2], 't:' .. ARGV[1], 1) end
return {1}
