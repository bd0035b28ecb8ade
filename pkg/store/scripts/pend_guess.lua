-- pend_guess: count one confirming guess of a set-up and reveal the pending secret.
-- KEYS  1 lg:{T}:f:<h>  2 lg:{T}:pend:<flow>
-- ARGV  1 hashes of the secrets in the binding cookie, 'new,before'  2 most guesses per flow  3 kind
-- Returns {1, sealed secret, now ms} · {0} flow or set-up unknown, ended, of another browser, or out of guesses
-- Promises: counted in the flow, so that a set-up begun anew gives no further guesses.
local fl = redis.call('HMGET', KEYS[1], 'bind', 'pn')
local mine = false
for h in string.gmatch(ARGV[1], '[^,]+') do if h == fl[1] then mine = true end end
if not mine then return {0} end
local s = redis.call('HGET', KEYS[2], 's:' .. ARGV[3])
if not s then return {0} end
if redis.call('HINCRBY', KEYS[1], 'pn', 1) > tonumber(ARGV[2]) then
  redis.call('UNLINK', KEYS[2])
  return {0}
end
local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
return {1, s, now}
