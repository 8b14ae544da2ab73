"""One connection: what a durable POST costs beyond the sync that it waits for."""

import workload
from context import Bench
from daemon import KEY, Daemon
from processes import native
from rounds import Pair
from table import Figure


def alternated(bench: Bench, daemon: Daemon) -> dict:
    """Microseconds of a post and of a sync; the program itself alternates between the two, sample by sample."""
    path, body = f"/runs/{daemon.new_run()}/events", workload.single().decode()
    return native(bench, "one_connection", daemon.port, path, KEY, body, bench.path("synced"), bench.seconds)


def beside_fdatasync(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon:
        each = [alternated(bench, daemon) for _ in range(bench.rounds)]
    pair = Pair([one["post_us"] for one in each], [one["fdatasync_us"] for one in each])
    return [Figure.of(pair, "fdatasync after an append of 4 KiB", " µs")]
