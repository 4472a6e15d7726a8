#!lua
-- Purpose: rate limits: may one more request pass? (generic cell rate algorithm: a bucket per key
-- that refills evenly, written as the moment at which it would be full again)
--
-- KEYS[i]        string, TTL = until the bucket is full; the moment it is full, Unix time in µs
-- ARGV[2i - 1]   µs for one request to be refilled
-- ARGV[2i]       requests in a full bucket
--
-- Answers 0 PASSED: one request was taken out of every bucket.
--         n > 0 REFUSED: nothing was taken; a repeat may pass after n µs.
--
-- Invariant: all buckets pay or none does, so a refused request costs nothing anywhere.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local wait = 0
local full_at = {}
for i, key in ipairs(KEYS) do
  local refill = tonumber(ARGV[2 * i - 1])
  local size = tonumber(ARGV[2 * i])
  local full = math.max(tonumber(redis.call('GET', key) or now), now)
  wait = math.max(wait, full - (size - 1) * refill - now)
  full_at[i] = full + refill
end
if wait > 0 then
  return math.ceil(wait)
end
for i, key in ipairs(KEYS) do
  local milliseconds = math.ceil((full_at[i] - now) / 1000)
  redis.call('SET', key, string.format('%.0f', full_at[i]), 'PX', milliseconds)
end
return 0
