-- name_drop: free a sign-in name, if it is still that account's.
-- KEYS  1 lg:n:<H>
-- ARGV  1 account id
-- Returns {1} freed · {0} it is another's, or nobody's
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
redis.call('UNLINK', KEYS[1])
return {1}
