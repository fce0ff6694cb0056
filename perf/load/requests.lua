-- Sends the requests of a file in turn, over and over. They were built before the run, so that wrk's one thread has little
-- to do beside the sockets: building each request in Lua was measured to halve the rate.
-- The file (path in the environment variable REQUESTS): each request behind its length in bytes and a newline.
local requests = {}
local at = 0

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
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, requests)
  local percentiles = {}
  for at, share in ipairs({50, 75, 90, 95, 99, 99.9, 99.99, 100}) do percentiles[at] = latency:percentile(share) end
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"percentilesUs":[%s],"statusErrors":%d,"socketErrors":%d}\n',
    summary.requests, summary.duration, table.concat(percentiles, ","), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
