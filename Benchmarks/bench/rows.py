"""The rows of the table and their targets, and how each is measured."""

from collections.abc import Callable
from dataclasses import dataclass

import latency
import streams
import throughput
import workload
from context import Bench, NotMeasured
from table import Figure, Line, Target, at_least, at_most


@dataclass(frozen=True)
class Row:
    """One measurement, with a line of the table for each of its figures."""

    number: int
    measure: Callable[[Bench], list[Figure]]
    lines: list[tuple[str, Target]]

    def measured(self, bench: Bench) -> list[Line]:
        """Its lines; a row that cannot be measured says why."""
        bench.progress(f"row {self.number}: {self.lines[0][0]}")
        try:
            figures = self.measure(bench)
        except (NotMeasured, OSError) as reason:
            figures = [Figure(str(reason).replace("|", "/"))] * len(self.lines)
        return [Line(self.number, what, target, figure) for (what, target), figure in zip(self.lines, figures)]


_POST = "durable `POST /runs/{id}/events`"

ROWS = [
    Row(1, throughput.beside_echo, [(f"{_POST}, 64 connections", at_least(0.8))]),
    Row(2, throughput.beside_postgres, [(f"{_POST}, 64 connections", at_least(1.2))]),
    Row(3, latency.beside_fdatasync, [(f"{_POST}, one connection, median time", at_most(2))]),
    Row(
        4, throughput.bulk_beside_redis,
        [(f"the same with {workload.BULK_LINES:,} JSON lines a request: events, 64 connections", at_least(5))]),
    Row(
        5, throughput.lifecycle_beside_posts,
        [("runs created, blocked, approved and completed, 64 connections", at_least(0.7))]),
    Row(6, throughput.get_beside_echo, [("`GET /runs/{id}`, 64 connections", at_least(0.7))]),
    Row(
        10, streams.many_clients,
        [("an event reaches the clients of its run's stream: p99 from its acknowledgement", at_most(100, " ms")),
         ("daemon memory for each of them", at_most(16, " KiB"))]),
]
