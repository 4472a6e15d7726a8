-- The time, read once a script, from Redis and nobody else. Tests put another `clock_offset_ms`
-- here, so that time can pass without waiting.
local function clock_offset_ms() return 0 end
