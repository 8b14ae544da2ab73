"""Writes and reads over 64 connections, each beside what could be had instead."""

from dataclasses import dataclass
from pathlib import Path

import workload
import wrk
from context import Bench, NotMeasured
from daemon import KEY, Daemon, Echo
from postgres import Postgres
from processes import native
from redis import Redis
from rounds import alternate
from table import Figure

_NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class Events:
    """Where events are posted to, and what."""

    url: str
    body: Path
    content_type: str
    """How many events a request brings."""
    count: int

    def post(self, bench: Bench) -> float:
        """Events a second."""
        return wrk.posts(bench, self.url, self.body, self.content_type) * self.count


def events_of(bench: Bench, daemon: Daemon) -> Events:
    """One event a request."""
    return _events(bench, daemon, workload.single(), "application/json", 1)


def bulk_of(bench: Bench, daemon: Daemon) -> Events:
    """Many events a request, as JSON lines."""
    return _events(bench, daemon, workload.bulk(), _NDJSON, workload.BULK_LINES)


def _events(bench: Bench, daemon: Daemon, content: bytes, content_type: str, count: int) -> Events:
    body = bench.path("events")
    body.write_bytes(content)
    return Events(f"{daemon.url}/runs/{daemon.new_run()}/events", body, content_type, count)


def lifecycles(bench: Bench, daemon: Daemon) -> float:
    """Runs a second that are created, blocked, approved and completed."""
    measured = native(bench, "lifecycle", daemon.port, KEY, wrk.CONNECTIONS, bench.seconds)
    return measured["runs"] / measured["seconds"]


def beside_echo(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon, Echo(bench) as echo:
        events = events_of(bench, daemon)
        pair = alternate(
            bench.rounds, lambda: events.post(bench), lambda: wrk.posts(bench, f"{echo.url}/echo", events.body))
        bench.note(f"Row 1: the daemon's resident memory was {daemon.peak_mib:.0f} MiB at most.")
    return [Figure.of(pair, "bare Hummingbird echo")]


def beside_postgres(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon, Postgres(bench) as postgres:
        postgres.make_table()
        events = events_of(bench, daemon)
        pair = alternate(bench.rounds, lambda: events.post(bench), lambda: postgres.inserts(wrk.CONNECTIONS))
        bench.note(f"Row 2: {postgres.settings}.")
    return [Figure.of(pair, "PostgreSQL, one insert a transaction")]


def bulk_beside_redis(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon:
        if not _takes_lines(daemon):
            return [Figure("not served")]
        bulk = bulk_of(bench, daemon)
        with Redis(bench) as redis:
            pair = alternate(bench.rounds, lambda: bulk.post(bench), lambda: redis.adds(wrk.CONNECTIONS))
            bench.note(f"Row 4: {redis.settings}.")
        bench.note(f"Row 4: the daemon's resident memory was {daemon.peak_mib:.0f} MiB at most.")
    return [Figure.of(pair, "Redis XADD")]


def _takes_lines(daemon: Daemon) -> bool:
    """Whether two lines become two events."""
    path = f"/runs/{daemon.new_run()}/events"
    status, answer = daemon.answer("POST", path, (workload.single() + b"\n") * 2, _NDJSON)
    if status >= 500:
        raise NotMeasured(f"JSON lines were answered {status}: {answer[:200].decode(errors='replace')}")
    return status < 300 and len(daemon.ask("GET", path)) == 2


def lifecycle_beside_posts(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon:
        events = events_of(bench, daemon)
        pair = alternate(bench.rounds, lambda: lifecycles(bench, daemon), lambda: events.post(bench) / 4)
        bench.note(f"Row 5: the daemon's resident memory was {daemon.peak_mib:.0f} MiB at most.")
    return [Figure.of(pair, "a quarter of row 1's posts")]


def get_beside_echo(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon:
        path = f"/runs/{daemon.new_run()}"
        body = bench.path("run.json")
        body.write_bytes(daemon.answer("GET", path)[1])
        with Echo(bench, body) as echo:
            pair = alternate(
                bench.rounds, lambda: wrk.gets(bench, daemon.url + path), lambda: wrk.gets(bench, f"{echo.url}/body"))
    return [Figure.of(pair, "bare Hummingbird, the same bytes")]
