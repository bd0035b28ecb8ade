-- invite_put: keep an invitation, new or in the place of another.
-- KEYS  1 lg:{I}:inv  2 lg:{I}:ivx, ids by the time they were sent
-- ARGV  1 id  2 sealed  3 sealed one that it replaces|''  4 when it was sent, ms  5 life of the keys, ms  6 most of a company
-- Returns {1} · {6} another is kept by now · {8} there is one already · {16} too many
-- Promises: nobody is invited twice by a company; of two changes of one invitation one is made.
local have = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[3] == '' then
  if have then return {8} end
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then return {16} end
elseif have ~= ARGV[3] then
  return {6}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return {1}
