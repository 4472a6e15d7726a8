#!lua flags=allow-oom
-- Purpose: the sweep's visit to one departure: end what ran out, name the pins that did.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV none
-- Answers: <more 0|1> <holds whose pin ran out...>
-- Invariant: safe to run late, twice and beside any other script.
-- @include clock
-- @include hold
local more = reap()
reschedule()
return {more and '1' or '0', unpack(overdue_pins())}
