#!lua
-- Purpose: take every seat of one of the candidate groups for a stretch, or none (P2, P3).
-- KEYS 1-10: the departure's (lib/hold.lua). 11: {s}:ended:<sid>, the mark of a login that ended.
--      12: {s}:answer:<hold>, the kept answer, TTL 24 h, looked for, and written if keep_ms > 0.
-- ARGV 1 hold  2 user  3 from  4 to (leg numbers)  5 ttl_ms  6 holds_limit (live, this departure)
--      7 plan revision  8 opens_at_ms  9 leaves_at_ms  10 era candidate  11 keep_ms
--      12 fact body (JSON object without its end)  13 named | ranked | short | offer (ranked, and
--      made by the engine for who waits: it alone may take seats kept for the waitlist)
--      14.. groups, each `fare o=label,o=label` (one, when named; short: how many
--      seats are free, how many parties wait)
-- Answers: held <member> <deadline_ms> <now_ms> <era> <repeat 0|1> | ended | again | load |
--      replan | not-on-sale <now_ms> | limit | taken <labels> (named) |
--      stale (ranked: no group is free any more, rank again) | overdue <holds> |
--      short <free> <waiting> (too few seats are free, and this request is not who has them)
-- Invariant: bits are set only when all were seen free in both strings, in this very script; while
--      somebody waits for a seat, nobody but an offer takes it.
-- @include clock
-- @include hold
local hold, user, from, to = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('MGET', KEYS[11], KEYS[12])
if known[1] then return {'ended'} end
if reap() then return {'again'} end
-- A repeat; or a try that was lost on its way and arrives when another was answered in its place,
-- whose hold may be over by now: it would begin a second life under the same id.
if known[2] then return cjson.decode(known[2]) end
local keep_ms = tonumber(ARGV[11])
local function answer(reply)
  if keep_ms > 0 then redis.call('SET', KEYS[12], cjson.encode(reply), 'PX', keep_ms) end
  return reply
end

-- A repeat finds itself (rule 9).
local present, _, score = find(hold, user)
if present then
  return answer({'held', present, whole(score), whole(now_ms), era(ARGV[10]), '1'})
end

if not image[1] then return {'load'} end
if image[2] ~= ARGV[7] then return {'replan'} end
if now_ms < tonumber(ARGV[8]) or now_ms >= tonumber(ARGV[9]) then
  return answer({'not-on-sale', whole(now_ms)})
end
if redis.call('ZCARD', mine_key(user)) >= tonumber(ARGV[6]) then return answer({'limit'}) end
if image[3] and ARGV[13] ~= 'offer' then mark = waiting_key() end

local chosen, first_taken = nil, nil
for index = 14, ARGV[13] == 'short' and 0 or #ARGV do
  local taken = {}
  for ordinal, label in string.gmatch(ARGV[index], '(%d+)=([^,]+)') do
    if is_taken(tonumber(ordinal), from, to) then taken[#taken + 1] = label end
  end
  if #taken == 0 then chosen = ARGV[index] break end
  first_taken = first_taken or taken
end
if not chosen then
  local overdue = overdue_pins()
  if #overdue > 0 then return {'overdue', unpack(overdue)} end
  if ARGV[13] == 'ranked' then return {'stale'} end
  if ARGV[13] == 'offer' then return {'stale'} end
  if ARGV[13] == 'short' then return answer({'short', ARGV[14], ARGV[15]}) end
  return answer({'taken', unpack(first_taken)})
end

-- From here the hold is taken. The fence grows also across a loss of Redis's memory.
local last = tonumber(redis.call('GET', FENCE) or '0')
local fence = math.max(last + 1, now_us)
local deadline_ms = now_ms + tonumber(ARGV[5])
local member = table.concat({hold, user, from .. '-' .. to, whole(now_ms), whole(fence),
  chosen}, ' ')
local parsed = parse(member)
redis.call('SET', FENCE, whole(fence))
redis.call('ZADD', LIVE, whole(deadline_ms), member)
set_bits(HELD, parsed)
show_hold(parsed, deadline_ms, 'held')
tell_watchers()
if ARGV[13] == 'offer' then redis.call('HSET', hold_key(hold), 'made_by', 'offer') end
fact(parsed, 'held', 1, 0, ARGV[12] .. ',"seats":' .. cjson.encode(parsed.labels) .. ',"fare":"'
  .. parsed.fare .. '","fence":' .. whole(fence) .. ',"expires_at_ms":' .. whole(deadline_ms) .. '}')
return answer({'held', member, whole(deadline_ms), whole(now_ms), era(ARGV[10]), '0'})
