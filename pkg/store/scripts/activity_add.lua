-- activity_add: what the person of an account is shown of what happened to it.
-- KEYS  1 lg:{T}:log
-- ARGV  1 life, ms  2 most entries  3 id of the entry  4 sealed entry
--   value: id|sealed, the newest first
-- Returns {1} also for a repeat
local first = redis.call('LINDEX', KEYS[1], 0)
if first and string.match(first, '^([^|]*)|') == ARGV[3] then return {1} end
redis.call('LPUSH', KEYS[1], ARGV[3] .. '|' .. ARGV[4])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {1}
