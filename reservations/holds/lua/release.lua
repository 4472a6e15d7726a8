#!lua flags=allow-oom
-- Purpose: end a live hold at its owner's (or staff's) word.
-- KEYS 1-10: the departure's (lib/hold.lua). 11: {s}:ended:<sid>.
-- ARGV 1 hold  2 user (its owner)  3 fact body (JSON object)
-- Answers: released | ended | again | gone | pinned
-- Side effect: {s}:unburied, zset, no TTL: the hold, until the caller has told PostgreSQL that it is
--      over. Of one that is gone too: it may be Redis that forgot it.
-- Invariant: a pinned hold is not released: its COMMIT may be under way (rule 5).
-- @include clock
-- @include hold
if redis.call('EXISTS', KEYS[11]) == 1 then return {'ended'} end
if reap() then return {'again'} end
local member, zset = find(ARGV[1], ARGV[2])
if not member or zset == LIVE then
  redis.call('ZADD', TAG .. ':unburied', whole(now_ms), ARGV[1])
end
if not member then return {'gone'} end
if zset == CONFIRMING then return {'pinned'} end
local parsed = parse(member)
unhold(LIVE, parsed, member)
tell_watchers()
fact(parsed, 'released', 3, 0, ARGV[3])
reschedule()
return {'released'}
