-- account_delete: remove an account with all that is kept of its person.
-- KEYS  1 lg:{T}:acct  2 lg:{T}:erased, what stays  3... everything else of the account that is known
-- ARGV  1 account id
-- Returns {1} · {0} no such account
-- Promises: one step; the id is never used again, since account_create asks for what stays.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {0} end
redis.call('SET', KEYS[2], '1')
redis.call('UNLINK', KEYS[1])
for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
return {1}
