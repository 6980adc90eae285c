-- KEYS: handshake, how it ended. ARGV: now (ms).
-- 0 unknown; 1 the first claim; {2, end or nil} a later one.
local head = redis.call('GETRANGE', KEYS[1], 0, 24)
if head == '' or tonumber(ARGV[1]) >= tonumber(string.sub(head, 1, 15)) then
  return {0}
end
if tonumber(string.sub(head, 16, 25)) == 0 then
  -- Keeps its time to live.
  redis.call('SETRANGE', KEYS[1], 15, '0000000001')
  return {1}
end
return {2, redis.call('GET', KEYS[2])}
