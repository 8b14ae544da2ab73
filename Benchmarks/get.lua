-- wrk: GETs one run after another; their ids come from a file.
local requests, last = {}, 0

function init()
    local headers = { Authorization = "Bearer " .. os.getenv("SLUICE_API_KEY") }
    for id in io.lines(os.getenv("BENCH_RUNS_FILE")) do
        requests[#requests + 1] = wrk.format("GET", "/runs/" .. id, headers)
    end
end

function request()
    last = last % #requests + 1
    return requests[last]
end
