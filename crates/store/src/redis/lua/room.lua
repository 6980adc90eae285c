-- Prelude: how many live entries there are, exact to a second, without looking at them.
-- A hash counts them by the second in which they end; `total` is their sum, `upto` the last second that was cleared.

local function clear(count, now)
  local upto = tonumber(redis.call('HGET', count, 'upto') or now)
  if now <= upto then
    redis.call('HSETNX', count, 'upto', now)
    return upto
  end
  local gone = 0
  if now - upto > 600 then
    local all = redis.call('HGETALL', count)
    for i = 1, #all, 2 do
      local second = tonumber(all[i])
      if second and second <= now then
        gone = gone + tonumber(all[i + 1])
        redis.call('HDEL', count, all[i])
      end
    end
  else
    for second = upto + 1, now do
      local ended = redis.call('HGET', count, second)
      if ended then
        gone = gone + tonumber(ended)
        redis.call('HDEL', count, second)
      end
    end
  end
  redis.call('HSET', count, 'upto', now)
  if gone > 0 then
    redis.call('HINCRBY', count, 'total', -gone)
  end
  return now
end

-- Takes one place until `ends` (milliseconds); false when there are `ceiling` already.
local function take_place(count, now, ends, ceiling, ttl)
  local upto = clear(count, math.floor(now / 1000))
  if tonumber(redis.call('HGET', count, 'total') or 0) >= ceiling then
    return false
  end
  local second = math.ceil(ends / 1000)
  if second > upto then
    redis.call('HINCRBY', count, string.format('%d', second), 1)
    redis.call('HINCRBY', count, 'total', 1)
  end
  redis.call('PEXPIRE', count, ttl + 3600000)
  return true
end

-- Gives the place of an entry back that goes before its end.
local function give_place_back(count, ends)
  local second = string.format('%d', math.ceil(ends / 1000))
  local there = redis.call('HGET', count, second)
  if there and tonumber(there) > 0 then
    redis.call('HINCRBY', count, second, -1)
    redis.call('HINCRBY', count, 'total', -1)
  end
end
