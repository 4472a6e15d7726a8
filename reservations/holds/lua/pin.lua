#!lua flags=allow-oom
-- Purpose: keep a hold from expiring while PostgreSQL decides; or, when Redis forgot it, take its
--      seats again by its capability (rule 10).
-- KEYS 1-10: the departure's (lib/hold.lua). 11: {s}:ended:<sid>.
-- ARGV 1 hold  2 user  3 pin_ms  4 era candidate  5 era, 6 deadline_ms, 7 member of a capability
--      (empty without one)
-- Answers: pinned <member> <now_ms> <retaken 0|1> | ended | again | gone | load | taken | overdue <holds>
-- Invariant: a pin never goes back; a member lies in LIVE or in CONFIRMING, never in both.
-- @include clock
-- @include hold
if redis.call('EXISTS', KEYS[11]) == 1 then return {'ended'} end
if reap() then return {'again'} end
local member, zset, score = find(ARGV[1], ARGV[2])
local pin_until_ms = now_ms + tonumber(ARGV[3])

if not member then
  -- A capability speaks only when Redis forgot: same era and no member means the hold is over.
  local this_era = era(ARGV[4])
  if ARGV[7] == '' or ARGV[5] == this_era or tonumber(ARGV[6]) <= now_ms then return {'gone'} end
  if not image[1] then return {'load'} end
  member = ARGV[7]
  local parsed = parse(member)
  if not parsed then return {'gone'} end
  for _, ordinal in ipairs(parsed.ordinals) do
    if is_taken(ordinal, parsed.from, parsed.to) then
      local overdue = overdue_pins()
      if #overdue > 0 then return {'overdue', unpack(overdue)} end
      return {'taken'}
    end
  end
  local until_ms = math.max(tonumber(ARGV[6]), pin_until_ms)
  redis.call('ZADD', CONFIRMING, whole(until_ms), member)
  set_bits(HELD, parsed)
  show_hold(parsed, until_ms, 'confirming')
  tell_watchers()
  -- Fences given from now on are later than this one, even if the clock was set back meanwhile.
  local last = tonumber(redis.call('GET', FENCE) or '0')
  redis.call('SET', FENCE, whole(math.max(last, tonumber(parsed.fence))))
  return {'pinned', member, whole(now_ms), '1'}
end

local until_ms = math.max(score, pin_until_ms)
local parsed = parse(member)
tell_watchers()
if zset == LIVE then redis.call('ZREM', LIVE, member) end
redis.call('ZADD', CONFIRMING, whole(until_ms), member)
show_hold(parsed, until_ms, 'confirming')
return {'pinned', member, whole(now_ms), '0'}
