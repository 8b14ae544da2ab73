"""Data directories of servers with a past: typical runs, nearly all of them finished."""

import json
import statistics
import time
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from context import Bench
from daemon import Daemon
from processes import output


@dataclass(frozen=True)
class Size:
    finished: int
    open: int


@dataclass(eq=False)
class History:
    """One such directory. Its figures are measured when they are first asked for, each once."""

    bench: Bench
    data: Path
    size: Size
    runs: Path

    def sluice(self, *arguments: str) -> str:
        return output([self.bench.product("sluice"), *arguments, "--data-dir", self.data])

    def timed(self, *arguments: str) -> float:
        """Seconds that a subcommand takes."""
        start = time.monotonic()
        self.sluice(*arguments)
        return time.monotonic() - start

    @cached_property
    def stats(self) -> dict:
        return json.loads(self.sluice("log", "stats", "--json"))

    @cached_property
    def events(self) -> int:
        """How many there are before anything is measured on it."""
        return self.stats["records"]

    @property
    def name(self) -> str:
        count = self.events / 1e6
        return f"{count:,.1f} M events" if count >= 1 else f"{self.events / 1000:,.0f} k events"

    @cached_property
    def verify_rates(self) -> list[float]:
        return [self.events / self.timed("log", "verify") for _ in range(self.bench.rounds)]

    @cached_property
    def rebuild_rate(self) -> float:
        """Events a second; the read models are there afterwards."""
        rounds = self.bench.long_rounds
        return statistics.median(self.events / self.timed("projections", "rebuild") for _ in range(rounds))

    def ensure_read_models(self) -> None:
        if not any(self.data.glob("read-model*")):
            self.sluice("projections", "rebuild")


class Histories:
    """The two that growth is seen between, the second with ten times as many finished runs; made when needed."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def small(self) -> History:
        return self._made(Size(5_000, 500) if self._bench.is_quick else Size(100_000, 10_000))

    @cached_property
    def large(self) -> History:
        return self._made(Size(50_000, 500) if self._bench.is_quick else Size(1_000_000, 10_000))

    def _made(self, size: Size) -> History:
        bench = self._bench
        bench.progress(f"a history of {size.finished:,} finished and {size.open:,} open runs")
        history = History(bench, bench.path("history"), size, bench.path("runs"))
        history.runs.write_text(output([bench.product("HistoryGenerator"), history.data, size.finished, size.open]))
        # The generator writes a log alone: its first start makes a keyring, which holds none of the keys that the log names.
        Daemon(bench, history.data, None, "--accept-key-loss").stop()
        return history


@cache
def histories(bench: Bench) -> Histories:
    return Histories(bench)
