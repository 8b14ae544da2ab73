-- GETs of one item by runs whose ids are in a file, in turn.
local runs = {}
for line in io.lines(os.getenv("BENCH_RUNS_FILE")) do runs[#runs + 1] = line end
local number = 0

request = function()
  number = number % #runs + 1
  return wrk.format("GET", nil, { ["X-Run-ID"] = runs[number] })
end
