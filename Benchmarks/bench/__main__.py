"""Prints the figures of docs/benchmarks.md: each row measured side by side in one run, medians of alternating rounds.

Run by `make bench`, which builds the release configuration and installs the peers. BENCH_DIR names the disk.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

import growth
import plot
import table
from context import LOADS, Bench, reason
from history import histories
from processes import raise_descriptor_limit
from rows import ROWS

GROWTH = "growth"
PLOT = LOADS.parent / "docs" / "growth.svg"


def main(products: Path, chosen: set[str], is_quick: bool) -> None:
    raise_descriptor_limit()
    # As an interrupt does: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=os.environ.get("BENCH_DIR")) as directory:
        # The peers run as users of their own.
        os.chmod(directory, 0o711)
        bench = Bench(products.resolve(), Path(directory), is_quick)
        lines = [line for row in ROWS if str(row.number) in chosen for line in row.measured(bench)]
        if lines:
            print(table.of_lines(lines), *bench.taken_notes(), sep="\n\n", flush=True)
        if GROWTH in chosen:
            print_growth(bench)


def print_growth(bench: Bench) -> None:
    """Prints the second table and draws it; a quick look leaves the drawing of the documents alone."""
    bench.progress("growth: the same with ten times the history")
    try:
        small, large = histories(bench).small, histories(bench).large
        names = [small.name, large.name]
    except Exception as error:
        print(f"\nGrowth: not measured: {reason(error)}")
        return
    changes = growth.measured(bench, small, large)
    print()
    print(growth.of_changes(changes, names), *bench.taken_notes(), sep="\n\n", flush=True)
    target = bench.directory.parent / "growth.svg" if bench.is_quick else PLOT
    target.write_text(plot.svg(changes, names))
    bench.progress(f"drew {target}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, required=True, help="where the release binaries are")
    parser.add_argument("--only", help="row numbers and `growth`, parted by commas; everything without it")
    parser.add_argument("--quick", action="store_true", help="few short rounds and a small history, to try it out")
    arguments = parser.parse_args()
    everything = {str(row.number) for row in ROWS} | {GROWTH}
    wanted = set(arguments.only.split(",")) if arguments.only else everything
    if unknown := wanted - everything:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    main(arguments.products, wanted, arguments.quick)
