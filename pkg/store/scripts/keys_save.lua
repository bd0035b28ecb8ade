-- keys_save: replace the ring of signing keys, if it is still the one that was read.
-- KEYS  1 lg:keys
-- ARGV  1 version that was read, 0: none  2 sealed record
-- Returns {1, new version} · {17} another node was first
local v = redis.call('HGET', KEYS[1], 'v') or '0'
if v ~= ARGV[1] then return {17} end
redis.call('HSET', KEYS[1], 'v', tonumber(v) + 1, 'r', ARGV[2])
return {1, tonumber(v) + 1}
