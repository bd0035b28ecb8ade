-- account_create: a new account in its slot; the name index is written afterwards, in another slot.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:prof  3 lg:{T}:mfa  4 lg:{T}:erased
-- ARGV  1 account id  2 company  3 sealed password record  4 sealed profile
--       5 authenticator id|''  6 its sealed secret: an imported factor, live at once  7 state: active | disabled
-- Returns {1} · {0, id} the tag is in use by that account, or was by one that was deleted · {8} half of an account is there
-- Promises: never writes over an account; an imported factor has all the fields that factor_confirm writes.
local id = redis.call('HGET', KEYS[1], 'id')
if id then return {0, id} end
if redis.call('EXISTS', KEYS[4]) == 1 then return {0, ''} end
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) ~= 0 then return {8} end
local gen, state = '0', 'never'
if ARGV[5] ~= '' then
  gen, state = '1', 'on'
  local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)
  redis.call('HSET', KEYS[3], 'v', '1', 'state', 'on', 'devgen', gen, 'gen', gen, 'ids', ARGV[5], 's:' .. ARGV[5], ARGV[6],
    'l:' .. ARGV[5], '0', 'a:' .. ARGV[5], now)
  for _, L in ipairs({'u', 'k'}) do
    redis.call('HSET', KEYS[3], 'f' .. L, '0', 'w' .. L, '0', 'b' .. L, '0', 't' .. L, now)
  end
end
redis.call('SET', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], 'v', '1', 'id', ARGV[1], 'company', ARGV[2], 'state', ARGV[7], 'ep', '1', 'pwgen', '1',
  'mfagen', gen, 'mfastate', state, 'pw', ARGV[3])
return {1}
