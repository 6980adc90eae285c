-- KEYS: list of moments. ARGV: now, most, period (ms). 0 counted, else how long to wait (ms).
local now, most, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local first = redis.call('LINDEX', KEYS[1], 0)
while first and tonumber(first) + period <= now do
  redis.call('LPOP', KEYS[1])
  first = redis.call('LINDEX', KEYS[1], 0)
end
if first and redis.call('LLEN', KEYS[1]) >= most then
  return tonumber(first) + period - now
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], period + 30000)
return 0
