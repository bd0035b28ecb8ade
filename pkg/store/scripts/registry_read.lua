-- registry_read: clients, companies, scopes and roles with their version, as of one moment.
-- KEYS  1 lg:{reg}:v  2 lg:{reg}:cl  3 lg:{reg}:co  4 lg:{reg}:sc  5 lg:{reg}:ro
-- ARGV  1 version known|''
-- Returns {1, version} nothing changed · {1, version, clients, companies, scopes, roles} as field, value, field, value
local v = redis.call('GET', KEYS[1]) or '0'
if v == ARGV[1] then return {1, v} end
return {1, v, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[5])}
