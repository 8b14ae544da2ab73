"""Load by wrk: 64 keep-alive connections, each of which waits for its answer."""

import re
from pathlib import Path

from context import LOADS, Bench, NotMeasured
from daemon import KEY
from processes import needed, output

CONNECTIONS = 64


def posts(bench: Bench, url: str, body: Path, content_type: str = "application/json") -> float:
    """POSTs of the same body a second; every answer must be a success."""
    environment = {"SLUICE_API_KEY": KEY, "BENCH_BODY_FILE": str(body), "BENCH_CONTENT_TYPE": content_type}
    return _rate(bench, ["-s", LOADS / "post.lua", url], environment)


def gets(bench: Bench, url: str) -> float:
    """GETs a second; every answer must be a success."""
    return _rate(bench, ["-H", f"Authorization: Bearer {KEY}", url], {})


def gets_of_runs(bench: Bench, url: str, runs: Path) -> float:
    """GETs a second of the runs whose ids are in a file."""
    return _rate(bench, ["-s", LOADS / "get.lua", url], {"SLUICE_API_KEY": KEY, "BENCH_RUNS_FILE": str(runs)})


def timed(bench: Bench, connections: int, arguments: list, environment: dict[str, str]) -> tuple[float, float]:
    """Answers a second, and the median time of one in milliseconds; every answer must be a success."""
    text = _measured(bench, connections, ["--latency", *arguments], environment)
    median, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", text).groups()
    return _per_second(text), float(median) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def count(
    bench: Bench, connections: int, seconds: float, arguments: list, environment: dict[str, str]
) -> int:
    """The number of answers in a round of that length; every answer must be a success."""
    text = _measured(bench, connections, arguments, environment, seconds)
    return int(re.search(r"(\d+) requests in", text)[1])


def _rate(bench: Bench, arguments: list, environment: dict[str, str]) -> float:
    return _per_second(_measured(bench, CONNECTIONS, arguments, environment))


def _per_second(text: str) -> float:
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])


def _measured(
    bench: Bench, connections: int, arguments: list, environment: dict[str, str], seconds: float | None = None
) -> str:
    text = output(
        [needed("wrk"), "-t1", f"-c{connections}", f"-d{seconds or bench.seconds:g}s", *arguments],
        environment=environment)
    if trouble := re.search(r"(Non-2xx|Socket errors).*", text):
        raise NotMeasured(f"wrk: {trouble[0]}")
    return text
