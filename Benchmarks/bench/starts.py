"""A daemon with a past: how soon it is ready, and how much memory it takes at rest."""

import statistics
import subprocess
import time
from dataclasses import dataclass
from functools import cache

import wrk
from context import Bench
from daemon import KEY, Daemon
from history import History, histories
from processes import compiled
from table import Figure

# For what a start has left to do to come to rest.
_REST_SECONDS = 3


@dataclass(frozen=True)
class Starts:
    """Medians, in seconds and MiB."""

    after_stop: float
    after_kill: float
    resident: float


def ready(bench: Bench) -> list[Figure]:
    history = histories(bench).large
    # Asked for first: the starts add what is written while the daemon is killed.
    beside = f"{history.events:,} events, {history.size.finished:,} finished runs"
    starts = of(bench, history)
    return [Figure(f"{seconds:.2f} s", seconds, beside) for seconds in (starts.after_stop, starts.after_kill)]


def memory(bench: Bench) -> list[Figure]:
    history = histories(bench).large
    empty = statistics.median(_resident_empty(bench) for _ in range(bench.rounds))
    resident = of(bench, history).resident
    beside = f"{history.size.finished:,} finished and {history.size.open:,} open runs"
    return [Figure(f"{empty:.0f} MiB", empty, "an empty log"), Figure(f"{resident:.0f} MiB", resident, beside)]


@cache
def of(bench: Bench, history: History) -> Starts:
    """Starts after a clean stop and after a kill in the midst of writing, by turns; measured once."""
    history.ensure_read_models()
    Daemon(bench, history.data).stop()
    rounds = [_round(bench, history) for _ in range(bench.rounds)]
    return Starts(*(statistics.median(figures) for figures in zip(*rounds)))


def _round(bench: Bench, history: History) -> tuple[float, float, float]:
    with Daemon(bench, history.data) as daemon:
        after_stop = daemon.start_seconds
        time.sleep(_REST_SECONDS)
        resident = daemon.resident_mib
        load = subprocess.Popen(
            [compiled(bench, "lifecycle"), str(daemon.port), KEY, str(wrk.CONNECTIONS), "60"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        daemon.kill()
        load.wait()
    with Daemon(bench, history.data) as daemon:
        return after_stop, daemon.start_seconds, resident


def _resident_empty(bench: Bench) -> float:
    with Daemon(bench) as daemon:
        time.sleep(_REST_SECONDS)
        return daemon.resident_mib
