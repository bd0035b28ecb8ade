-- identity: which store this is; written once, by the first node that comes.
-- KEYS  1 lg:store
-- ARGV  1 fresh random id|'' (only read)  2 fingerprint of the index key  3 of the pairwise key  4 of the pepper
-- Returns {1, id, epoch, fingerprint, fingerprint, fingerprint} · {0} there is none
-- Promises: one winner; what is there is never changed.
if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'v', '1', 'id', ARGV[1], 'epoch', '1', 'fi', ARGV[2], 'fp', ARGV[3], 'fs', ARGV[4])
end
local m = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'fi', 'fp', 'fs')
for i = 1, 5 do if not m[i] then return {0} end end
return {1, m[1], m[2], m[3], m[4], m[5]}
