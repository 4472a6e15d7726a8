#!lua flags=no-writes
-- Purpose: the seat images of many departures, of those alone that the caller has not seen as they
--      are: for searches, which ask for twenty at a time and again.
-- KEYS five a departure: live, held, sold, image, waiting. All departures of one shard.
-- ARGV one a departure: the mark of the image the caller has, or ''.
-- Answers: one a departure: same | unloaded | over (a hold ran out: `view` ends it first) |
--      <mark> <held> <sold> <kept for the waitlist, or ''> <who waits, or ''>
-- Invariant: nothing is told of a departure in which a hold has run out (rule 4). A mark is never
--      that of two states: an epoch is random, and the moment of a change is later than the last.
-- @include clock
local offset_ms = clock_offset_ms()
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + offset_ms
local now_text = string.format('%.0f', now_ms)
local answers = {}
for number, seen in ipairs(ARGV) do
  local at = number * 5 - 4
  local answer = 'over'
  if redis.call('ZCOUNT', KEYS[at], '-inf', now_text) == 0 then
    local image = redis.call('HMGET', KEYS[at + 3], 'loaded', 'epoch', 'changed', 'waiting')
    local mark = (image[2] or '') .. ':' .. (image[3] or '')
    if not image[1] then answer = 'unloaded'
    elseif mark == seen then answer = 'same'
    else
      answer = {mark, redis.call('GET', KEYS[at + 1]) or '', redis.call('GET', KEYS[at + 2]) or '',
        image[4] and redis.call('GET', KEYS[at + 4]) or '', image[4] or ''}
    end
  end
  answers[number] = answer
end
return answers
