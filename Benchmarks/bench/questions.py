"""What operators and readers ask a daemon with a past: lists and searches, the past itself, and commands beside it."""

import math
import re
import shutil
import statistics
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from context import Bench
from daemon import Daemon
from history import History

PAGES = 100
_WARM_UP_PAGES = 10

# A page of a hundred, by its query; `{user}` is one of the history's, another one for each page.
LISTS = {
    "finished runs, newest first": "status=COMPLETED",
    "runs of an agent, by their last change": "agent_id=billing&sort=-updated_at",
    "failed runs, of which there are none": "status=FAILED",
    "runs of a user": "status=COMPLETED&user_id={user}",
    "runs that waited for a tool": "status=COMPLETED&tool=payments",
    "runs with a word in their text": "status=COMPLETED&q=invoice",
}
_USERS = 300
# Positions that are asked about, from the newest event back.
_RECENT = 1_000
# The setting's default: so many events have to be folded at most, once the bases are there.
_HISTORY_INTERVAL = 32_768
PAST = {"a thousand events ago": lambda last: last - _RECENT, "in the middle of the log": lambda last: last // 2}


@dataclass(frozen=True)
class Answers:
    """Seconds, by what was asked."""

    seconds: dict[str, float]


def of(bench: Bench, history: History) -> Answers:
    """Asks a history everything. It is served meanwhile, and started again in each state."""
    history.ensure_read_models()
    with Daemon(bench, history.data, {"history-bytes-max": 12 << 30}) as daemon:
        found = lists(daemon) | past(daemon, history)
    return Answers(found | offline(history) | starts(bench, history))


def lists(daemon: Daemon) -> dict[str, float]:
    found = {f"a page of {name}: p99": _p99(daemon, query) for name, query in LISTS.items()}
    begin, (_, content) = time.monotonic(), daemon.answer("GET", "/runs?status=COMPLETED")
    seconds = time.monotonic() - begin
    return found | {"a whole list, a million runs of it": seconds / max(1, content.count(b'"id":')) * 1e6}


def _p99(daemon: Daemon, query: str) -> float:
    times = []
    for number in range(_WARM_UP_PAGES + PAGES):
        path = "/runs?limit=100&" + query.replace("{user}", urllib.parse.quote(f"user-{number * 7 % _USERS}"))
        begin = time.monotonic()
        daemon.ask("GET", path)
        times.append(time.monotonic() - begin)
    ordered = sorted(times[_WARM_UP_PAGES:])
    return ordered[math.ceil(len(ordered) * 0.99) - 1]


def past(daemon: Daemon, history: History) -> dict[str, float]:
    """A run as of a position that was not asked about before, and again, once its bases are made."""
    run, last = history.runs.read_text().split()[0], daemon.ask("GET", "/readyz")["position"]
    begin = time.monotonic()
    while _newest_base(daemon) + _HISTORY_INTERVAL <= last:
        time.sleep(1)
    found = {"the bases of a log that had none": time.monotonic() - begin}
    for name, position in PAST.items():
        for again in ("", ", again"):
            begin = time.monotonic()
            while True:
                status, content = daemon.answer("GET", f"/runs/{run}?as_of={position(last)}")
                if status != 503:
                    break
            # A run that was not there yet is an answer too.
            assert status in (200, 404), content
            found[f"`as_of` {name}{again}"] = time.monotonic() - begin
    return found


def _newest_base(daemon: Daemon) -> float:
    _, metrics = daemon.answer("GET", "/metrics")
    found = re.search(rb"^sluice_history_base_position (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0


def offline(history: History) -> dict[str, float]:
    run, last = history.runs.read_text().split()[-1], history.events
    return {
        "`sluice log stats`": history.timed("log", "stats"),
        "`sluice log cat` of the last ten events": history.timed("log", "cat", "--from", str(last - 10)),
        "`sluice replay --run`": history.timed("replay", "--run", run),
        "`sluice diff` of the last thousand events": history.timed(
            "diff", "--from", str(last - _RECENT), "--to", str(last)),
    }


def starts(bench: Bench, history: History) -> dict[str, float]:
    """Seconds until a daemon is ready, by what its directory has."""
    def seconds(prepare: Callable[[], None] = lambda: None) -> float:
        prepare()
        with Daemon(bench, history.data) as daemon:
            return daemon.start_seconds

    def without_snapshots() -> None:
        shutil.rmtree(history.data / "snapshots", ignore_errors=True)

    def without_read_models() -> None:
        for path in history.data.glob("read-model*"):
            path.unlink()

    return {
        "ready, with everything": statistics.median(seconds() for _ in range(bench.long_rounds)),
        "ready, without a snapshot": seconds(without_snapshots),
        "ready, without read models": seconds(without_read_models),
    }
