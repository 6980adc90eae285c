-- KEYS: ticket, channel. ARGV: now (ms), version that was seen, value, time to live (ms), mark of this attempt, PUBLISH or
-- SPUBLISH, scan code.
-- 1 written, 0 somebody else was faster or it is gone.
local head = redis.call('GETRANGE', KEYS[1], 0, 40)
if head == '' or tonumber(ARGV[1]) >= tonumber(string.sub(head, 1, 15)) then
  return 0
end
if string.sub(head, 16, 25) ~= ARGV[2] then
  -- The same attempt again, by a client that repeated it because the answer was lost.
  return string.sub(head, 26, 41) == ARGV[5] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call(ARGV[6], KEYS[2], ARGV[7])
return 1
