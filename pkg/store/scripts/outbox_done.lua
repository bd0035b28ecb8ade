-- outbox_done: take an entry out and remember its id.
-- KEYS  1 lg:{out}:due  2 lg:{out}:mail  3 lg:{out}:age  4 lg:{out}:sent
-- ARGV  1 id  2 memory of ids, ms  3 most ids remembered
-- Returns {1}
-- Promises: remembered whether it was there or not; the ids that are remembered are bounded, the oldest go.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[2], 'm:' .. ARGV[1], 't:' .. ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[4], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, string.format('%.0f', -1 - ARGV[3]))
redis.call('PEXPIRE', KEYS[4], ARGV[2])
return {1}
