#!lua flags=allow-oom
-- Purpose: forget facts of holds that MongoDB keeps now.
--
-- KEYS[1]  {s}:audit   stream, no TTL
-- ARGV     pairs: entry id in the stream, `id` field of the fact that was shipped ('' if it had none)
-- Answers  how many entries were deleted.
--
-- Invariant: only the entry that was shipped is deleted. Entry ids repeat after a flush or a
-- failover, so the entry's own fact id is compared, here, where nothing can come between.

local gone = 0
for i = 1, #ARGV, 2 do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if entry then
    local fields, name = entry[2], ''
    for f = 1, #fields, 2 do
      if fields[f] == 'id' then name = fields[f + 1] end
    end
    if name == ARGV[i + 1] then
      gone = gone + redis.call('XDEL', KEYS[1], ARGV[i])
    end
  end
end
return gone
