#!lua
-- Purpose: give a live hold more time, up to a cap counted from when it was taken.
-- KEYS 1-10: the departure's (lib/hold.lua). 11: {s}:ended:<sid>.
-- ARGV 1 hold  2 user  3 ttl_ms  4 max_total_ms  5 era candidate
--      6 more members of the fact, `,"actor":7`, or nothing
-- Answers: extended <member> <deadline_ms> <now_ms> <era> | ended | again | gone | pinned | limit
-- Invariant: only the score changes; the member keeps its bytes, its bits are untouched.
-- @include clock
-- @include hold
if redis.call('EXISTS', KEYS[11]) == 1 then return {'ended'} end
if reap() then return {'again'} end
local member, zset, score = find(ARGV[1], ARGV[2])
if not member then return {'gone'} end
if zset == CONFIRMING then return {'pinned'} end
local parsed = parse(member)
local cap_ms = parsed.taken_at_ms + tonumber(ARGV[4])
local deadline_ms = math.min(now_ms + tonumber(ARGV[3]), cap_ms)
if deadline_ms <= score then
  if score >= cap_ms then return {'limit'} end
  return {'extended', member, whole(score), whole(now_ms), era(ARGV[5])}
end
redis.call('ZADD', LIVE, 'XX', whole(deadline_ms), member)
local number = redis.call('HINCRBY', hold_key(parsed.hold), 'extensions', 1)
move_deadline(parsed, deadline_ms)
tell_watchers()
fact(parsed, 'extended', 2, number, '{"expires_at_ms":' .. whole(deadline_ms) .. (ARGV[6] or '') .. '}')
return {'extended', member, whole(deadline_ms), whole(now_ms), era(ARGV[5])}
