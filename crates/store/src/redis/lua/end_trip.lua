-- KEYS: handshake, how it ended. ARGV: now (ms), end. Kept as long as the handshake.
local head = redis.call('GETRANGE', KEYS[1], 0, 14)
if head == '' or tonumber(ARGV[1]) >= tonumber(head) then
  return 0
end
local left = redis.call('PTTL', KEYS[1])
if left > 0 then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', left)
end
return 1
