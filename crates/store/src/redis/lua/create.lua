-- KEYS: entry, count of live entries (absent in a cluster where it lies elsewhere: see reserve.lua).
-- ARGV: now, end, time to live (all ms), ceiling, value, '1' to replace a live one.
-- 0 stored, 1 exists, 2 full.
local now, ends = tonumber(ARGV[1]), tonumber(ARGV[2])
local head = redis.call('GETRANGE', KEYS[1], 0, 14)
local lives = head ~= '' and now < tonumber(head)
if lives and ARGV[6] ~= '1' then
  return 1
end
if KEYS[2] then
  if lives then
    give_place_back(KEYS[2], tonumber(head))
  end
  -- One in the place of another needs no room.
  local ceiling = lives and math.huge or tonumber(ARGV[4])
  if not take_place(KEYS[2], now, ends, ceiling, tonumber(ARGV[3])) then
    return 2
  end
end
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])
return 0
