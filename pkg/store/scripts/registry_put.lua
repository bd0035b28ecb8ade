-- registry_put: add, replace or remove one client or company.
-- KEYS  1 lg:{reg}:v  2 lg:{reg}:cl or lg:{reg}:co
-- ARGV  1 id  2 sealed record|'' to remove  3 (optional) 1: only in the place of a record that is there
-- Returns {1, version} · {0} nothing to remove, or to replace
-- Promises: the change and the version that tells the nodes of it are one step.
if ARGV[2] == '' then
  if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then return {0} end
else
  if ARGV[3] == '1' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return {0} end
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return {1, redis.call('INCR', KEYS[1])}
