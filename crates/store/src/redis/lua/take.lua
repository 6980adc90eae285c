-- KEYS: challenge, count of live ones. ARGV: now (ms). The challenge, which is then gone, or nil.
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
redis.call('DEL', KEYS[1])
local ends = tonumber(string.sub(value, 1, 15))
give_place_back(KEYS[2], ends)
return tonumber(ARGV[1]) < ends and value
