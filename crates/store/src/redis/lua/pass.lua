-- KEYS: a moment. ARGV: now, how long one takes up, how far it may lie ahead (µs). 0 counted, else how long to wait (µs).
local now, interval, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local moment = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
if moment - now > ahead then
  return moment - now - ahead
end
-- Whole digits: a number of Lua's own would be written as 1.8e+15.
redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000) + 30000)
return 0
