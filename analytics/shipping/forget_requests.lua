#!lua flags=allow-oom
-- Purpose: forget entries of the request log that MongoDB keeps now, and count them.
--
-- KEYS[1]  requests                  stream, capped, no TTL
-- KEYS[2]  {requests}:acknowledged   string, whole number, no TTL
-- ARGV     entry ids
-- Answers  how many entries were deleted by this call.
--
-- Invariant: entries added = acknowledged + still there + cut off by the cap; so what the cap has
-- cost is known. The count moves in the same step as the entries, and only with those it deleted.

local gone = redis.call('XDEL', KEYS[1], unpack(ARGV))
redis.call('INCRBY', KEYS[2], gone)
return gone
