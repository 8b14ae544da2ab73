"""The same figures with ten times the history: what stays flat, and what does not."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import starts
import table
import throughput
import wrk
from context import Bench, reason
from daemon import Daemon
from history import History


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
        digits = 2 if self.unit == " s" else 0
        shown = [f"{figure:,.{digits}f}{self.unit}" for figure in (self.small, self.large)]
        return [str(self.row), self.what, *shown, f"{self.cost:.2f}"]


def measured(bench: Bench, small: History, large: History) -> list[Change]:
    """What could be measured, of the rows for which history may matter."""
    changes = []
    for measure in (_log, _rebuild, _starts, _service):
        try:
            changes += measure(bench, small, large)
        except Exception as error:
            bench.note(f"Growth: {reason(error)}.")
    return sorted(changes, key=lambda change: change.row)


def of_changes(changes: list[Change], histories: list[str]) -> str:
    return table.markdown(["row", "what", *histories, "cost, times"], [change.cells for change in changes])


def _log(_: Bench, small: History, large: History) -> list[Change]:
    rates = [statistics.median(history.verify_rates) for history in (small, large)]
    return [Change(7, "`sluice log verify`, events", *rates, "/s")]


def _rebuild(_: Bench, small: History, large: History) -> list[Change]:
    return [Change(8, "`sluice projections rebuild`, events", small.rebuild_rate, large.rebuild_rate, "/s")]


def _starts(bench: Bench, small: History, large: History) -> list[Change]:
    one, other = starts.of(bench, small), starts.of(bench, large)
    return [
        Change(11, "ready after a clean stop", one.after_stop, other.after_stop, " s"),
        Change(11, "ready after SIGKILL", one.after_kill, other.after_kill, " s"),
        Change(12, "resident memory at rest", one.resident, other.resident, " MiB")]


def _service(bench: Bench, small: History, large: History) -> list[Change]:
    """Both daemons serve at once, and take their rounds by turns."""
    with Daemon(bench, small.data) as one, Daemon(bench, large.data) as other:
        served = [(one, small, throughput.events_of(bench, one)), (other, large, throughput.events_of(bench, other))]

        def compare(row: int, what: str, measure: Callable[..., float]) -> Change:
            figures = [[measure(*each) for each in served] for _ in range(bench.rounds)]
            return Change(row, what, *(statistics.median(column) for column in zip(*figures)), "/s")

        return [
            compare(6, "`GET /runs/{id}` of a thousand runs", lambda daemon, history, _: wrk.gets_of_runs(
                bench, daemon.url, history.runs)),
            compare(1, "durable `POST /runs/{id}/events`", lambda daemon, _, events: events.post(bench)),
            compare(5, "runs created, blocked, approved and completed", lambda daemon, *_: throughput.lifecycles(
                bench, daemon))]
