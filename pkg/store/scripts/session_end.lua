-- session_end: a session ends, and with it what is known of the apps that it served.
-- KEYS  1 lg:{T}:s:<h>  2 lg:{T}:lo
-- ARGV  1 <h>:
-- Returns {1, (field of lo, its value)...} those of the session, which are removed
-- Promises: no app is recorded for it afterwards; harmless to repeat.
redis.call('UNLINK', KEYS[1])
local all, out = redis.call('HGETALL', KEYS[2]), {1}
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[1]) == ARGV[1] then
    redis.call('HDEL', KEYS[2], all[i])
    out[#out + 1] = all[i]
    out[#out + 1] = all[i + 1]
  end
end
return out
