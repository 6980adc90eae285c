-- KEYS: challenge. ARGV: now (ms). The challenge with the attempts that are left, or nil.
local head = redis.call('GETRANGE', KEYS[1], 0, 24)
if head == '' or tonumber(ARGV[1]) >= tonumber(string.sub(head, 1, 15)) then
  return false
end
local left = tonumber(string.sub(head, 16, 25)) - 1
if left < 0 then
  return false
end
redis.call('SETRANGE', KEYS[1], 15, string.format('%010d', left))
return redis.call('GET', KEYS[1])
