"""Many clients on one run's event stream: how late events reach them, and what each costs the daemon."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import workload
from context import Bench, NotMeasured
from daemon import KEY, Daemon
from processes import compiled
from table import Figure

RATE = 200

# For allocations that come with the first clients, or end with the last connection, to come to rest.
_REST_SECONDS = 2


@dataclass(frozen=True)
class Followed:
    """A stream that many clients followed for a while."""

    clients: int
    seconds: int
    """What each client cost the daemon at rest, and the most that the daemon ever had."""
    kib_each: float
    peak_mib: float
    """What the clients measured; nothing, and their complaint, when they could not."""
    measured: dict | None
    complaint: str


def followed(bench: Bench, data: Path | None = None) -> Followed:
    clients, seconds = (500, 5) if bench.is_quick else (5000, 20)
    settings = {"streams-max": clients + 100, "connections-max": clients + 1000, "principal-share": 100}
    with Daemon(bench, data, settings) as daemon:
        run = daemon.new_run()
        time.sleep(_REST_SECONDS)
        before = daemon.proportional_kib
        program = subprocess.Popen(
            [compiled(bench, "sse_clients"), str(daemon.port), run, KEY, workload.single().decode(), str(clients),
             str(RATE), str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with program:
            try:
                if program.stdout.readline() != "connected\n":
                    raise NotMeasured(f"{clients:,} clients: {program.stderr.read().strip()}")
                time.sleep(_REST_SECONDS)
                each = (daemon.proportional_kib - before) / clients
                answer, complaint = program.communicate("go\n", timeout=seconds + 120)
            finally:
                program.kill()
        measured = json.loads(answer) if program.returncode == 0 else None
        return Followed(clients, seconds, each, daemon.peak_mib, measured, complaint.strip())


def many_clients(bench: Bench) -> list[Figure]:
    seen = followed(bench)
    memory = Figure(f"{seen.kib_each:.1f} KiB", seen.kib_each, f"{seen.clients:,} clients")
    if seen.measured is None:
        return [Figure(f"{seen.clients:,} clients: {seen.complaint}"), memory]
    measured = seen.measured
    bench.note(
        f"Row 10: {measured['received']:,} of {measured['expected']:,} deliveries came, the last "
        f"{measured['drain_seconds']:.1f} s after the last post; {measured['closed']:,} streams were closed; p50 "
        f"{measured['p50_ms']:,.1f} ms; the clients took {measured['cpu_seconds']:.1f} s of processor time; the "
        f"daemon's resident memory was {seen.peak_mib:.0f} MiB at most.")
    rate = measured["events"] / seen.seconds
    load = f"{seen.clients:,} clients, {rate:,.0f} of {RATE} events/s for {seen.seconds} s"
    return [_lateness(measured["p99_ms"], load), memory]


def _lateness(milliseconds: float, load: str) -> Figure:
    if milliseconds < 0:
        return Figure("more than one in a hundred never came", float("inf"), load)
    return Figure(f"{milliseconds:,.1f} ms", milliseconds, load)
