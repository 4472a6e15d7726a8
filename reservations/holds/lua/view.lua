#!lua flags=allow-oom
-- Purpose: one departure as it is now, for seat maps, search, counts and lists.
-- KEYS 1-10: the departure's (lib/hold.lua).
-- ARGV 1 members wanted: none | all | mine  2 user (for mine)
-- Answers: again | seen <loaded 0|1> <revision> <words> <held> <sold> <blocked> <now_ms> <era>
--      <live members and scores> <confirming members and scores>
--      <words kept for the waitlist> <who waits>
-- Invariant: expiry is complete before anything is told (rule 4).
-- @include clock
-- @include hold
if reap() then return {'again'} end
local live, confirming = {}, {}
if ARGV[1] == 'all' or (ARGV[1] == 'none' and not image[1]) then
  live = redis.call('ZRANGE', LIVE, 0, -1, 'WITHSCORES')
  confirming = redis.call('ZRANGE', CONFIRMING, 0, -1, 'WITHSCORES')
elseif ARGV[1] == 'mine' then
  for _, hold in ipairs(redis.call('ZRANGE', mine_key(ARGV[2]), 0, -1)) do
    local member, zset, score = find(hold, ARGV[2])
    local found = zset == LIVE and live or confirming
    if member then found[#found + 1] = member found[#found + 1] = whole(score) end
  end
end
local held, sold, blocked, kept = '', '', '', ''
if image[1] and ARGV[1] ~= 'mine' then
  held = redis.call('GET', HELD) or ''
  sold = redis.call('GET', SOLD) or ''
  blocked = redis.call('HGET', IMAGE, 'blocked') or ''
  if image[3] then kept = redis.call('GET', waiting_key()) or '' end
end
return {'seen', image[1] or '0', image[2] or '', image[4] or '0', held, sold, blocked,
  whole(now_ms), redis.call('GET', ERA) or '', live, confirming,
  kept, image[3] or ''}
