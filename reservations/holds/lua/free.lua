#!lua flags=allow-oom
-- Purpose: end a hold that PostgreSQL has definitely refused: its constraint said no, or `void`
--      was written so that no confirm of it can commit any more.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV 1 hold  2 user  3 what it became: released | expired | '' (tell no fact:
--      it had its ending before Redis forgot it)  4 fact body (JSON object)
-- Answers: freed | gone
-- Invariant: bits are cleared only by the script whose own ZREM took the member out (rule 1).
-- @include clock
-- @include hold
local member, zset = find(ARGV[1], ARGV[2])
if not member then return {'gone'} end
local parsed = parse(member)
unhold(zset, parsed, member)
tell_watchers()
if ARGV[3] ~= '' then fact(parsed, ARGV[3], 3, 0, ARGV[4]) end
reschedule()
return {'freed'}
