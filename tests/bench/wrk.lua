-- GETs the paths of the file named by the first argument in turn; tells its figures as one line of JSON.

local requests, number = {}, 0

function init(args)
   for path in io.lines(args[1]) do
      requests[#requests + 1] = wrk.format("GET", path)
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
