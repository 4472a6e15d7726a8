#!lua flags=allow-oom
-- Purpose: step c of refresh (rule 7): make the sold bits what the rows say.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV 1 epoch seen at step a  2 new epoch  3 scope: some | all | load
--      4 changes: triples of little-endian uint32 (word index, bits to set, bits to clear)
--      5 plan revision, 6 blocked words, 7 bytes the seat image has (not for some)
--      8 words kept for the waitlist, 9 who waits, as text (both '' if nobody does; left out: the
--      mark stays as it is; a load always gives them)
-- Answers: done | again | loaded (somebody else loaded it meanwhile)
-- Invariant: only bits that were set at step a and are in no row are cleared; the image is not
--      touched if its epoch is another. A load sets the held bits again from the members.
-- @include clock
-- @include hold
local image = redis.call('HMGET', IMAGE, 'loaded', 'epoch')
if image[2] ~= ARGV[1] then
  if ARGV[3] == 'load' and image[1] and ARGV[5] == redis.call('HGET', IMAGE, 'revision') then
    return {'loaded'}
  end
  return {'again'}
end
-- As long as it gets, at once: a string that grows bit by bit is given twice what it needs.
local function fill(key)
  local now = redis.call('GET', key) or ''
  local missing = tonumber(ARGV[7]) - #now
  if missing > 0 then redis.call('SET', key, now .. string.rep('\0', missing)) end
end
if ARGV[3] ~= 'some' then fill(SOLD) end
local changes = ARGV[4]
for at = 1, #changes, 12 do
  local index, set, clear = struct.unpack('<I4I4I4', changes, at)
  local word = read_word(SOLD, index * 4)
  write_word(SOLD, index * 4, bit.bor(bit.band(word, bit.bnot(clear)), set))
end
if ARGV[3] ~= 'some' then
  if not image[1] then
    redis.call('DEL', HELD)
    fill(HELD)
    for _, zset in ipairs({LIVE, CONFIRMING}) do
      for _, member in ipairs(redis.call('ZRANGE', zset, 0, -1)) do
        local parsed = parse(member)
        if parsed then set_bits(HELD, parsed) end
      end
    end
  end
  redis.call('HSET', IMAGE, 'loaded', '1', 'revision', ARGV[5], 'blocked', ARGV[6])
end
if ARGV[3] ~= 'some' then redis.call('ZADD', TAG .. ':loaded', whole(now_ms), DEPARTURE) end
if ARGV[8] == '' then
  redis.call('DEL', waiting_key())
  redis.call('HDEL', IMAGE, 'waiting')
elseif ARGV[8] then
  redis.call('SET', waiting_key(), ARGV[8])
  redis.call('HSET', IMAGE, 'waiting', ARGV[9])
end
redis.call('HSET', IMAGE, 'epoch', ARGV[2])
if #changes > 0 or ARGV[3] ~= 'some' then tell_watchers() end
if ARGV[8] and ARGV[3] == 'some' then tell_watchers() end
return {'done'}
