-- session_create: a session begins, and the one it replaces ends.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:s:<h>  3 lg:{T}:sx
--       4 (optional) lg:{T}:s:<h> of the session replaced  5 (with it) lg:{T}:lo, the apps that sessions have served
-- ARGV  1 ep  2 pwgen  3 idle life, ms  4 absolute end, ms  5 sealed session  6 <h>  7 most sessions in the index
--       8 <h> of the session replaced, or ''
--   value: end ms|sealed · sx: <h> scored by its absolute end
-- Returns {1} · {6} account not active or a generation moved · {17} the absolute end has passed
-- Promises: no session for an account that changed after the proof; the old handle is dead when the new one lives; the
--   index ends with the last session; the apps that the old session served are the new one's.
local a = redis.call('HMGET', KEYS[1], 'state', 'ep', 'pwgen')
if a[1] ~= 'active' or a[2] ~= ARGV[1] or a[3] ~= ARGV[2] then return {6} end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local left = tonumber(ARGV[4]) - now
if left <= 0 then return {17} end
if KEYS[4] then
  redis.call('UNLINK', KEYS[4])
  redis.call('ZREM', KEYS[3], ARGV[8])
  local all, old, found = redis.call('HGETALL', KEYS[5]), ARGV[8] .. ':', false
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, #old) == old then
      local rest = string.match(all[i + 1], '^%d+|(.*)$')
      redis.call('HDEL', KEYS[5], all[i])
      if rest then
        redis.call('HSET', KEYS[5], ARGV[6] .. ':' .. string.sub(all[i], #old + 1), ARGV[4] .. '|' .. rest)
        found = true
      end
    end
  end
  if found and redis.call('PTTL', KEYS[5]) < left then redis.call('PEXPIRE', KEYS[5], string.format('%.0f', left)) end
end
redis.call('SET', KEYS[2], ARGV[4] .. '|' .. ARGV[5], 'PX', math.min(tonumber(ARGV[3]), left))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[6])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[7]))
local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[3], tonumber(last[2]) - now)
return {1}
