-- invite_take: remove an invitation, because it is taken or withdrawn.
-- KEYS  1 lg:{I}:inv  2 lg:{I}:ivx
-- ARGV  1 id  2 sealed one that was read
-- Returns {1} · {0} it is not that one any more
-- Promises: of any number at once one is told that it has it.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {0} end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return {1}
