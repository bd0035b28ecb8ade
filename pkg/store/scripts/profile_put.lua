-- profile_put: change what is said of a person, if nobody else has meanwhile.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:prof
-- ARGV  1 account id  2 company  3 sealed profile that was read  4 sealed profile
-- Returns {1} · {0} no such account · {6} another change came between
-- Promises: of two changes of one profile the second is worked out from the first.
local a = redis.call('HMGET', KEYS[1], 'id', 'company')
if a[1] ~= ARGV[1] or a[2] ~= ARGV[2] then return {0} end
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return {6} end
redis.call('SET', KEYS[2], ARGV[4])
return {1}
