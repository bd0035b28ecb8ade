-- outbox_later: give an entry back.
-- KEYS  1 lg:{out}:due
-- ARGV  1 id  2 wait, ms
-- Returns {1} · {0} it is not there any more
-- Promises: what is gone does not come back.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {0} end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
return {1}
