"""The same figures with ten times the history: what stays flat, and what does not."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import latency
import questions
import starts
import streams
import table
import throughput
import wrk
from context import Bench, NotMeasured, reason
from daemon import Daemon
from history import History


@dataclass(frozen=True)
class Served:
    """A daemon over a history, and what is posted to it."""

    daemon: Daemon
    history: History
    events: throughput.Events
    bulk: throughput.Events


@dataclass(frozen=True)
class Change:
    """A figure with the one history and with the other."""

    row: int
    what: str
    small: float
    large: float
    unit: str

    @property
    def cost(self) -> float:
        """How many times more time or memory the larger history takes: 1 is flat, 10 grows as history does."""
        return self.small / self.large if self.unit == "/s" else self.large / self.small

    @property
    def cells(self) -> list[str]:
        digits = {" s": 2, " bytes": 1, " ms": 1, " KiB": 1}.get(self.unit, 0)
        shown = [f"{figure:,.{digits}f}{self.unit}" for figure in (self.small, self.large)]
        return [str(self.row), self.what, *shown, f"{self.cost:.2f}"]


def measured(bench: Bench, small: History, large: History) -> list[Change]:
    """What could be measured, of the rows for which history may matter."""
    changes = []
    for measure in (_log, _rebuild, _questions, _starts, _streams, _service):
        try:
            changes += measure(bench, small, large)
        except Exception as error:
            bench.note(f"Growth: {reason(error)}.")
    return sorted(changes, key=lambda change: change.row)


def of_changes(changes: list[Change], histories: list[str]) -> str:
    return table.markdown(["row", "what", *histories, "cost, times"], [change.cells for change in changes])


def _log(_: Bench, small: History, large: History) -> list[Change]:
    rates = [statistics.median(history.verify_rates) for history in (small, large)]
    sizes = [history.stats["stored_bytes"] / history.events for history in (small, large)]
    return [
        Change(7, "`sluice log verify`, events", *rates, "/s"), Change(9, "log, an event", *sizes, " bytes")]


def _rebuild(_: Bench, small: History, large: History) -> list[Change]:
    return [Change(8, "`sluice projections rebuild`, events", small.rebuild_rate, large.rebuild_rate, "/s")]


def _starts(bench: Bench, small: History, large: History) -> list[Change]:
    one, other = starts.of(bench, small), starts.of(bench, large)
    return [
        Change(11, "ready after a clean stop", one.after_stop, other.after_stop, " s"),
        Change(11, "ready after SIGKILL", one.after_kill, other.after_kill, " s"),
        Change(12, "resident memory at rest", one.resident, other.resident, " MiB")]


def _questions(bench: Bench, small: History, large: History) -> list[Change]:
    """Row 19: what is asked of a daemon with a past, in milliseconds where that is short."""
    one, other = (questions.of(bench, history).seconds for history in (small, large))
    return [
        Change(19, what, seconds * scale, other[what] * scale, unit)
        for what, seconds in one.items()
        for scale, unit in [(1000, " ms") if max(seconds, other[what]) < 1 else (1, " s")]]


def _streams(bench: Bench, small: History, large: History) -> list[Change]:
    one, other = (streams.followed(bench, history.data) for history in (small, large))
    if complaint := one.complaint or other.complaint:
        raise NotMeasured(complaint)
    return [
        Change(
            10, f"an event reaches {one.clients:,} clients of a stream: p99", one.measured["p99_ms"],
            other.measured["p99_ms"], " ms"),
        Change(10, "daemon memory for each of them", one.kib_each, other.kib_each, " KiB")]


def _service(bench: Bench, small: History, large: History) -> list[Change]:
    """Both daemons serve at once, and take their rounds by turns."""
    with Daemon(bench, small.data) as one, Daemon(bench, large.data) as other:
        served = [
            Served(daemon, history, throughput.events_of(bench, daemon), throughput.bulk_of(bench, daemon))
            for daemon, history in ((one, small), (other, large))]

        def compare(row: int, what: str, measure: Callable[[Served], float], unit: str = "/s") -> Change:
            figures = [[measure(each) for each in served] for _ in range(bench.rounds)]
            return Change(row, what, *(statistics.median(column) for column in zip(*figures)), unit)

        return [
            compare(6, "`GET /runs/{id}` of a thousand runs", lambda each: wrk.gets_of_runs(
                bench, each.daemon.url, each.history.runs)),
            compare(1, "durable `POST /runs/{id}/events`", lambda each: each.events.post(bench)),
            compare(3, "… one connection, median time", lambda each: latency.alternated(bench, each.daemon)["post_us"],
                    " µs"),
            compare(5, "runs created, blocked, approved and completed", lambda each: throughput.lifecycles(
                bench, each.daemon)),
            # Last, because it adds millions of events to both.
            compare(4, "JSON lines, a thousand a request: events", lambda each: each.bulk.post(bench))]
