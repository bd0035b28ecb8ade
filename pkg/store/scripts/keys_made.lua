-- keys_made: note in the store's identity that signing keys were made, so that they are never made a second time.
-- KEYS  1 lg:store
-- Returns {1} · {0} the store has no identity
if redis.call('HEXISTS', KEYS[1], 'id') == 0 then return {0} end
redis.call('HSET', KEYS[1], 'keys', '1')
return {1}
