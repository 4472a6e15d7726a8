#!lua flags=allow-oom
-- Purpose: step a of refresh (rule 7), and settle (rule 8), which is this step alone: held bits
--      of the named hold become sold bits; the sold words and the epoch are given.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV 1 hold or ''  2 user or ''  3 wanted: none | some | all | load  4 new epoch
--      5 words a seat has (for a load)
-- Answers: <settled 0|1> <loaded 0|1> <epoch or ''> <sold words or ''>
-- Invariant: while an image is being loaded its epoch and words are there, so that a settle in
--      between leaves its sold bits for step c to find.
-- @include clock
-- @include hold
local settled = '0'
if ARGV[1] ~= '' then
  local member, zset = find(ARGV[1], ARGV[2])
  if member then
    local parsed = parse(member)
    unhold(zset, parsed, member)
    tell_watchers()
    if words and set_bits(SOLD, parsed) then
      redis.call('HSET', IMAGE, 'epoch', ARGV[4])
    end
    reschedule()
    settled = '1'
  end
end
if ARGV[3] == 'none' then return {settled, '', '', ''} end
if ARGV[3] == 'load' and not redis.call('HGET', IMAGE, 'epoch') then
  redis.call('HSET', IMAGE, 'epoch', ARGV[4], 'words', ARGV[5])
end
local image = redis.call('HMGET', IMAGE, 'loaded', 'epoch')
return {settled, image[1] or '0', image[2] or '', redis.call('GET', SOLD) or ''}
