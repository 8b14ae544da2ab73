"""Prints the figures of docs/benchmarks.md: each row measured side by side in one run, medians of alternating rounds.

Run by `make bench`, which builds the release configuration and installs the peers. BENCH_DIR names the disk.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

import table
from context import Bench
from processes import raise_descriptor_limit
from rows import ROWS


def main(products: Path, numbers: set[int], is_quick: bool) -> None:
    raise_descriptor_limit()
    # As an interrupt does: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    rows = [row for row in ROWS if row.number in numbers]
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=os.environ.get("BENCH_DIR")) as directory:
        # The peers run as users of their own.
        os.chmod(directory, 0o711)
        bench = Bench(products.resolve(), Path(directory), is_quick)
        lines = [line for row in rows for line in row.measured(bench)]
    print(table.of_lines(lines))
    for note in bench.notes:
        print(f"\n{note}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, required=True, help="where the release binaries are")
    parser.add_argument("--only", help="row numbers, parted by commas; all rows without it")
    parser.add_argument("--quick", action="store_true", help="few short rounds and a small history, to try it out")
    arguments = parser.parse_args()
    chosen = {int(each) for each in arguments.only.split(",")} if arguments.only else {row.number for row in ROWS}
    main(arguments.products, chosen, arguments.quick)
