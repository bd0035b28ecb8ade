-- registry_apply: many changes of clients, companies, scopes and roles at once.
-- KEYS  1 lg:{reg}:v  2 lg:{reg}:cl  3 lg:{reg}:co  4 lg:{reg}:sc  5 lg:{reg}:ro
-- ARGV  1 the version that the changes were worked out from, then three for each: key (2 to 5), id, sealed record|'' to remove
-- Returns {1, version} · {6} the registry has another version
-- Promises: all the changes or none; of two that start from one version, one is made.
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return {6} end
for i = 2, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then
    redis.call('HDEL', key, ARGV[i + 1])
  else
    redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
  end
end
return {1, redis.call('INCR', KEYS[1])}
