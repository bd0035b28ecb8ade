-- throttle_charge: count one guess against every counter of one name, all or none.
-- KEYS  the counters
-- ARGV  four for each: free  first wait, ms  longest wait, ms  window, ms|0
--   fields: n guesses  w no sooner than, ms  s start of the window, ms
-- Returns {1} · {9, ms} one of them has to wait: nothing was counted
-- Promises: without a window, waits double from the first to the longest; with one, at most 'free' in it and then one
--   every first wait.
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
local worst, now_n, now_s = 0, {}, {}
for i = 1, #KEYS do
  local per = tonumber(ARGV[i * 4])
  local v = redis.call('HMGET', KEYS[i], 'n', 'w', 's')
  local n, w, s = tonumber(v[1] or '0'), tonumber(v[2] or '0'), tonumber(v[3] or '0')
  if not n or not w or not s then return {8} end
  if per > 0 and now - s >= per then n, w, s = 0, 0, now end
  worst = math.max(worst, w - now)
  now_n[i], now_s[i] = n + 1, s
end
if worst > 0 then return {9, worst} end
for i = 1, #KEYS do
  local free, first, longest, per = tonumber(ARGV[i * 4 - 3]), tonumber(ARGV[i * 4 - 2]), tonumber(ARGV[i * 4 - 1]), tonumber(ARGV[i * 4])
  local n, w, life = now_n[i], 0, 3600000
  if n >= free then
    if per > 0 then w = now + first
    else w, life = now + math.min(longest, first * 2 ^ math.min(20, n - free)), 86400000 end
  end
  if per > 0 then life = per + first end
  redis.call('HSET', KEYS[i], 'n', n, 'w', string.format('%.0f', w), 's', string.format('%.0f', now_s[i]))
  redis.call('PEXPIRE', KEYS[i], math.max(life, w - now))
end
return {1}
