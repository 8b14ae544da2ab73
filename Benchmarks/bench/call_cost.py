"""Compares the processor time of a call through the gate between builds, beside rows 13 and 14.

    python3 Benchmarks/bench/call_cost.py OLD NEW … [--rounds 10] [--connections 32]

Each argument is a directory of release binaries. Their daemons take turns under the same load, so that other work on
the machine slows all of them; the figure is the median of the ratios to the first one.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import wrk
from context import LOADS, Bench
from daemon import Daemon
from egress import CONNECTIONS, Gate, Nginx

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Build:
    """A daemon of one build, and the microseconds of processor time that a call took in each round."""

    name: str
    daemon: Daemon
    gate: Gate
    costs: list[float] = field(default_factory=list)

    def measure(self, bench: Bench, seconds: float, connections: int) -> float:
        before = self._processor_seconds()
        calls = wrk.count(
            bench, connections, seconds, ["-s", LOADS / "egress.lua", self.gate.url],
            {"BENCH_RUNS_FILE": str(self.gate.runs)})
        return (self._processor_seconds() - before) / calls * 1_000_000

    def _processor_seconds(self) -> float:
        """User and system time of the daemon (proc(5): fields 14 and 15, after the name in parentheses)."""
        fields = Path(f"/proc/{self.daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def main(products: Sequence[Path], rounds: int, seconds: float, connections: int) -> None:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=os.environ.get("BENCH_DIR")) as directory:
        os.chmod(directory, 0o711)
        with ExitStack() as stack:
            bench = Bench(products[0].resolve(), Path(directory), is_quick=False)
            nginx = stack.enter_context(Nginx(bench))
            builds = []
            for path in products:
                bench.products = path.resolve()
                daemon = stack.enter_context(Daemon(bench))
                builds.append(Build(path.name, daemon, Gate(bench, daemon, nginx)))
            for build in builds:
                build.measure(bench, seconds, connections)
            for number in range(rounds):
                # Each build begins a round in turn.
                shift = number % len(builds)
                for build in builds[shift:] + builds[:shift]:
                    build.costs.append(build.measure(bench, seconds, connections))
            report(builds)


def report(builds: Sequence[Build]) -> None:
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    for build in builds:
        ratios = sorted(cost / first for cost, first in zip(build.costs, builds[0].costs))
        print(
            f"{build.name}: {statistics.median(build.costs):.0f} µs of processor time a call; "
            f"{statistics.median(ratios):.3f} of {builds[0].name} ({ratios[0]:.3f} to {ratios[-1]:.3f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("products", type=Path, nargs="+", help="directories of release binaries")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2, help="length of a round for each build")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    arguments = parser.parse_args()
    main(arguments.products, arguments.rounds, arguments.seconds, arguments.connections)
