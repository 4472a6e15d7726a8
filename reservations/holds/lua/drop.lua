#!lua flags=allow-oom
-- Purpose: forget the image of a departure that has ended, so that memory does not grow for ever.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV none
-- Answers: dropped | busy (a hold or a pin is still there)
-- Invariant: members are never dropped; an image that is needed again is loaded again.
-- @include clock
-- @include hold
reap()
if redis.call('EXISTS', LIVE) == 1 or redis.call('EXISTS', CONFIRMING) == 1 then return {'busy'} end
redis.call('DEL', IMAGE, HELD, SOLD, FENCE, waiting_key())
redis.call('ZREM', DUE, DEPARTURE)
redis.call('ZREM', TAG .. ':loaded', DEPARTURE)
return {'dropped'}
