-- throttle_undo: take back one charge, because a counter of another name had to wait.
-- KEYS  the counters
-- ARGV  four for each, as throttle_charge
-- Returns {1}
for i = 1, #KEYS do
  local n = tonumber(redis.call('HGET', KEYS[i], 'n') or '')
  if n and n > 0 then
    redis.call('HSET', KEYS[i], 'n', n - 1)
    if n - 1 < tonumber(ARGV[i * 4 - 3]) then redis.call('HSET', KEYS[i], 'w', '0') end
  end
end
return {1}
