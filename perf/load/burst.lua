-- Sends so many requests of a file (see requests.lua) once, as fast as they are answered, and ends when all but those under way are answered: prints
-- how long that took, and ends wrk. Request number COUNT + CONNECTIONS is asked for when at least COUNT have an answer.
local ffi = require("ffi")
ffi.cdef("typedef struct { long sec; long nsec; } burst_time; int clock_gettime(int clock, burst_time *time);")
local requests = {}
local sent = 0
local last = tonumber(os.getenv("COUNT")) + tonumber(os.getenv("CONNECTIONS"))
local time = ffi.new("burst_time")
local started

-- CLOCK_MONOTONIC, in seconds.
local function now()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.sec) + tonumber(time.nsec) / 1e9
end

function init(args)
  local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
  while true do
    local length = file:read("*l")
    if length == nil then break end
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
end

function request()
  started = started or now()
  sent = sent + 1
  if sent >= last then
    io.write(string.format('{"seconds":%.6f}\n', now() - started))
    io.flush()
    os.exit(0)
  end
  return requests[(sent - 1) % #requests + 1]
end
