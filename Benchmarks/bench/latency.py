"""One connection: what a durable POST costs beyond the sync that it waits for."""

import workload
from context import Bench
from daemon import KEY, Daemon
from processes import native
from rounds import Pair
from table import Figure


def beside_fdatasync(bench: Bench) -> list[Figure]:
    with Daemon(bench) as daemon:
        path, body = f"/runs/{daemon.new_run()}/events", workload.single().decode()
        file = bench.path("synced")
        # The program itself alternates between the two, sample by sample.
        each = [
            native(bench, "one_connection", daemon.port, path, KEY, body, file, bench.seconds)
            for _ in range(bench.rounds)]
    pair = Pair([one["post_us"] for one in each], [one["fdatasync_us"] for one in each])
    return [Figure.of(pair, "fdatasync after an append of 4 KiB", " µs")]
