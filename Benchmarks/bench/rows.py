"""The rows of the table and their targets, and how each is measured."""

from collections.abc import Callable
from dataclasses import dataclass

import egress
import journal
import latency
import log_figures
import models
import readers
import rebuild
import resumption
import starts
import streams
import throughput
import workload
from context import Bench, reason
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
        except Exception as error:
            figures = [Figure(reason(error))] * len(self.lines)
        return [Line(self.number, what, target, figure) for (what, target), figure in zip(self.lines, figures)]


_POST = "durable `POST /runs/{id}/events`"


def _model_lines(what: str) -> list[tuple[str, Target]]:
    return [
        (f"{what}: calls, recorded, 16 connections", at_least(10)),
        ("what the gateway adds to such a call, one connection, median", at_most(0.2)),
        ("resident memory at its highest after that", at_most(0.25))]


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
    Row(7, log_figures.verify, [("`sluice log verify`", at_least(1_000_000, "/s"))]),
    Row(8, rebuild.beside_plain_inserts, [("`sluice projections rebuild`", at_least(0.5))]),
    Row(9, log_figures.size, [("log, an event", at_most(0.25)), ("log, an event", at_most(0.15))]),
    Row(
        10, streams.many_clients,
        [("an event reaches the clients of its run's stream: p99 from its acknowledgement", at_most(100, " ms")),
         ("daemon memory for each of them", at_most(16, " KiB"))]),
    Row(
        11, starts.ready,
        [("ready after a clean stop", at_most(2, " s")), ("ready after SIGKILL while writing", at_most(5, " s"))]),
    Row(
        12, starts.memory,
        [("resident memory at rest", at_most(48, " MiB")), ("resident memory at rest", at_most(200, " MiB"))]),
    Row(13, egress.beside_nginx, [("allowed GETs of a tool through the gate, recorded, 32 connections", at_least(0.5))]),
    Row(14, egress.added_time, [("what the gate adds to such a call, one connection, median", at_most(1, " ms"))]),
    Row(
        15, models.chats_beside_litellm,
        [("calls of a model through the gateway, recorded, 16 connections", at_least(10)),
         ("what the gateway adds to such a call, one connection, median", at_most(0.2)),
         ("what it adds to each chunk of a stream of 500", at_most(0.2)),
         ("resident memory at its highest after that", at_most(0.25))]),
    Row(
        16, journal.recorded_and_replayed,
        [("a model call of a run whose response is recorded, one connection, median", at_most(1.5)),
         ("the same call in the next attempt: a replay", at_most(1))]),
    Row(
        17, resumption.recorded_calls,
        [("a run with 5,000 recorded calls resumes: each outcome received over HTTP, 32 connections", at_most(1, " s"))]),
    Row(
        18, readers.beside_lists,
        [(f"{_POST} at {readers.RATE}/s beside {readers.LISTS} clients that read whole lists, p99", at_most(5)),
         ("daemon memory for each whole list that is not read", at_most(8, " MiB"))]),
    Row(20, models.responses_beside_litellm, _model_lines("`POST /v1/responses` of a model of chat completions")),
    Row(21, models.messages_beside_litellm, _model_lines("`POST /v1/messages` of a model of OpenAI's format")),
]
