-- What every hold script shares: the keys of one departure, members, bits, and how a hold ends.
-- KEYS[1..10] are the same for all of them (reservations/holds/scripts.py: departure_keys).
local LIVE, CONFIRMING, DUE, HELD, SOLD = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local IMAGE, FENCE, ERA, AUDIT, ODD = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local TAG, DEPARTURE = string.match(LIVE, '^({%d+}):live:(%d+)$')
local REAP_BOUND = 25 -- 0.6 ms: nobody shall wait for a script longer than 5

local offset_ms = clock_offset_ms()
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + offset_ms
local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2]) + offset_ms * 1000

local function whole(number) return string.format('%.0f', number) end

-- A member is `hold user from-to taken_at_ms fence fare o=label,o=label`; its bytes never change.
-- The fare is a sum, and behind a slash its parts, which are Python's business.
local function parse(member)
  local hold, user, from, to, taken, fence, fare, seats = string.match(
    member, '^(%S+) (%d+) (%d+)%-(%d+) (%d+) (%d+) (%S+) (%S+)$')
  if not hold then return nil end
  local parsed = {hold = hold, user = user, from = tonumber(from), to = tonumber(to),
    taken_at_ms = tonumber(taken), fence = fence,
    fare = string.match(fare, '^[^/]*'), ordinals = {}, labels = {}}
  for ordinal, label in string.gmatch(seats, '(%d+)=([^,]+)') do
    parsed.ordinals[#parsed.ordinals + 1] = tonumber(ordinal)
    parsed.labels[#parsed.labels + 1] = label
  end
  if #parsed.ordinals == 0 or parsed.from >= parsed.to then return nil end
  return parsed
end

local function waiting_key() return TAG .. ':waiting:' .. DEPARTURE end
local function mine_key(user) return TAG .. ':mine:' .. DEPARTURE .. ':' .. user end
local function owned_key(user) return TAG .. ':owned:' .. user end
local function hold_key(hold) return TAG .. ':hold:' .. DEPARTURE .. ':' .. hold end
local function seat_key(label, from, to)
  return TAG .. ':seat:' .. DEPARTURE .. ':' .. label .. ':' .. from .. '-' .. to
end

-- The member of a hold, its zset and score; or nil. `mine` only finds it, by the score that both
-- have: LIVE and CONFIRMING say whether it is there. (It names holds, and no members: those are
-- longer than 64 bytes, for which Redis would make a zset of one six times as large.)
local function find(hold, user)
  local score = redis.call('ZSCORE', mine_key(user), hold)
  for _, zset in ipairs(score and {LIVE, CONFIRMING} or {}) do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', zset, score, score)) do
      if string.sub(member, 1, #hold + 1) == hold .. ' ' then
        return member, zset, tonumber(score)
      end
    end
  end
  return nil
end

-- Bits. Seat o has `words` 32-bit little-endian words from byte o * words * 4; leg k is bit
-- k % 32 of word k / 32. `nil` words: no image is loaded or being loaded, there are no bits.
local image = redis.call('HMGET', IMAGE, 'loaded', 'revision', 'waiting', 'words')
local words = tonumber(image[4] or nil)

local function each_word(from, to, visit)
  for word = math.floor(from / 32), math.floor((to - 1) / 32) do
    local low = math.max(from - word * 32, 0)
    local high = math.min(to - word * 32, 32)
    visit(word, (2 ^ high - 2 ^ low) % 4294967296)
  end
end

local function read_word(key, at)
  local bytes = redis.call('GETRANGE', key, at, at + 3)
  if #bytes < 4 then bytes = bytes .. string.rep('\0', 4 - #bytes) end
  return (struct.unpack('<I4', bytes))
end

local function write_word(key, at, value)
  redis.call('SETRANGE', key, at, struct.pack('<I4', value % 4294967296))
end

-- Set by a script for which seats kept for the waitlist are taken as well: the key of the mark.
local mark = nil

local function is_taken(ordinal, from, to)
  local taken = false
  each_word(from, to, function(word, mask)
    local at = (ordinal * words + word) * 4
    local both = bit.bor(read_word(HELD, at), read_word(SOLD, at))
    if mark then both = bit.bor(both, read_word(mark, at)) end
    if bit.band(both, mask) ~= 0 then taken = true end
  end)
  return taken
end

-- Sets the member's bits; true if one of them was set already.
local function set_bits(key, parsed)
  local overlap = false
  for _, ordinal in ipairs(parsed.ordinals) do
    each_word(parsed.from, parsed.to, function(word, mask)
      local at = (ordinal * words + word) * 4
      local before = read_word(key, at)
      if bit.band(before, mask) ~= 0 then overlap = true end
      write_word(key, at, bit.bor(before, mask))
    end)
  end
  return overlap
end

local function clear_bits(key, parsed)
  for _, ordinal in ipairs(parsed.ordinals) do
    each_word(parsed.from, parsed.to, function(word, mask)
      local at = (ordinal * words + word) * 4
      write_word(key, at, bit.band(read_word(key, at), bit.bnot(mask)))
    end)
  end
end

-- The keys a person sees: deadline moved, or deleted, only where they still name this hold.
local function each_seat_key(parsed, visit)
  for _, label in ipairs(parsed.labels) do
    local key = seat_key(label, parsed.from, parsed.to)
    if redis.call('GET', key) == parsed.hold then visit(key) end
  end
end

local function expire_at(key, deadline_ms)
  redis.call('PEXPIREAT', key, whole(deadline_ms - offset_ms))
end

local function move_indexes(parsed, deadline_ms)
  redis.call('ZADD', mine_key(parsed.user), whole(deadline_ms), parsed.hold)
  redis.call('ZADD', owned_key(parsed.user), 'GT', whole(deadline_ms), DEPARTURE)
  redis.call('ZADD', DUE, 'LT', whole(deadline_ms), DEPARTURE)
end

local function move_deadline(parsed, deadline_ms)
  move_indexes(parsed, deadline_ms)
  each_seat_key(parsed, function(key) expire_at(key, deadline_ms) end)
  if redis.call('EXISTS', hold_key(parsed.hold)) == 1 then
    redis.call('HSET', hold_key(parsed.hold), 'deadline_ms', whole(deadline_ms))
    expire_at(hold_key(parsed.hold), deadline_ms)
  end
end

local function show_hold(parsed, deadline_ms, status)
  for _, label in ipairs(parsed.labels) do
    local key = seat_key(label, parsed.from, parsed.to)
    local at = whole(deadline_ms - offset_ms)
    if not redis.call('SET', key, parsed.hold, 'NX', 'PXAT', at) then
      redis.call('SET', key, parsed.hold, 'PXAT', at) -- a left-over: the bits decided, not the key
    end
  end
  redis.call('HSET', hold_key(parsed.hold), 'user', parsed.user, 'status', status,
    'seats', table.concat(parsed.labels, ','), 'stretch', parsed.from .. '-' .. parsed.to,
    'fence', parsed.fence, 'deadline_ms', whole(deadline_ms))
  expire_at(hold_key(parsed.hold), deadline_ms)
  move_indexes(parsed, deadline_ms)
end

local function hide_hold(parsed)
  each_seat_key(parsed, function(key) redis.call('DEL', key) end)
  redis.call('DEL', hold_key(parsed.hold))
  redis.call('ZREM', mine_key(parsed.user), parsed.hold)
  if redis.call('EXISTS', mine_key(parsed.user)) == 0 then
    redis.call('ZREM', owned_key(parsed.user), DEPARTURE)
  end
end

local function fact(parsed, what, stage, number, body)
  local id = parsed.hold .. ':' .. what
  if number > 0 then id = id .. ':' .. whole(number) end
  redis.call('XADD', AUDIT, '*', 'id', id, 'kind', 'hold.' .. what, 'hold', parsed.hold,
    'departure', DEPARTURE, 'user', parsed.user, 'stage', whole(stage), 'number', whole(number),
    'at', whole(now_ms), 'body', body)
end

-- Ends a hold whose member was in `zset`. A held bit has one owner, its member: bits are cleared
-- only by the script whose own ZREM took the member out, so a second end does nothing.
local function unhold(zset, parsed, member)
  if redis.call('ZREM', zset, member) ~= 1 then return false end
  if words then clear_bits(HELD, parsed) end
  hide_hold(parsed)
  return true
end

-- Tells who watches this departure that what they saw has changed (no more than that: they look
-- again). Once a script, in the same step as the change. Who asks instead (look.lua) is told by the
-- moment of the last change, which stands beside the image's epoch.
local function tell_watchers()
  if image[1] then redis.call('HSET', IMAGE, 'changed', whole(now_us)) end
  redis.call('PUBLISH', TAG .. ':watched:' .. DEPARTURE, whole(now_ms))
end

-- Tells the sweep when to come next.
local function reschedule()
  local earliest = nil
  for _, zset in ipairs({LIVE, CONFIRMING}) do
    local first = redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')
    if first[2] and (not earliest or tonumber(first[2]) < earliest) then
      earliest = tonumber(first[2])
    end
  end
  if earliest then redis.call('ZADD', DUE, whole(earliest), DEPARTURE)
  else redis.call('ZREM', DUE, DEPARTURE) end
end

-- Ends the holds whose deadline has come (a score <= now is over), at most REAP_BOUND of them.
-- True if more remain: the script must then answer `again` and decide nothing. Never raises: a
-- member it cannot read is set aside.
local function reap()
  local over = redis.call('ZRANGEBYSCORE', LIVE, '-inf', whole(now_ms), 'LIMIT', 0, REAP_BOUND + 1)
  for index = 1, math.min(#over, REAP_BOUND) do
    local member = over[index]
    local parsed = parse(member)
    if not parsed then
      if redis.call('ZREM', LIVE, member) == 1 then redis.call('RPUSH', ODD, member) end
    elseif unhold(LIVE, parsed, member) then
      fact(parsed, 'expired', 3, 0, '{}')
    end
  end
  if #over > 0 then reschedule() end
  if #over > 0 then tell_watchers() end
  return #over > REAP_BOUND
end

-- The holds whose pin ran out: only PostgreSQL can say how they ended (rule 6), so they are named
-- to the caller, which asks it by writing.
local function overdue_pins()
  local holds = {}
  local over = redis.call('ZRANGEBYSCORE', CONFIRMING, '-inf', whole(now_ms), 'LIMIT', 0, 50)
  for _, member in ipairs(over) do holds[#holds + 1] = string.match(member, '^%S+') end
  return holds
end

local function era(candidate)
  local known = redis.call('GET', ERA)
  if not known then redis.call('SET', ERA, candidate) end
  return known or candidate
end
