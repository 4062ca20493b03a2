-- Asks for the paths of the file named by the first argument in turn (GET, or POST where a body follows), at most as
-- many a second as the second argument says (0: as fast as it goes); tells its figures as one line of JSON.

local ffi = require("ffi")
ffi.cdef [[ typedef struct { long s; long ns; } moment; int clock_gettime(int clock, moment *now); ]]

local requests, number = {}, 0

local function milliseconds()
   local now = ffi.new("moment[1]")
   ffi.C.clock_gettime(1, now)
   return tonumber(now[0].s) * 1e3 + tonumber(now[0].ns) / 1e6
end

function init(args)
   for path in io.lines(args[1]) do
      local target, body = path:match("^(%S+) (.+)$")
      requests[#requests + 1] = body and wrk.format("POST", target, nil, body) or wrk.format("GET", path)
   end
   local rate = tonumber(args[2])
   if rate > 0 then
      local due
      -- Asked after each answer how long its connection rests; a load that fell behind is made up for.
      function delay()
         due = (due or milliseconds()) + 1e3 / rate
         return math.max(0, due - milliseconds())
      end
   end
end

function request()
   number = number % #requests + 1
   return requests[number]
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   io.write(string.format('\n{"answers": %d, "seconds": %.6f, "failed": %d, "p50": %.3f, "p99": %.3f}\n',
      summary.requests, summary.duration / 1e6, failed,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
