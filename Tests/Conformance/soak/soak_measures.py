"""Measurements of a daemon under a soak: samples over time, and the comparison of the end with the middle."""

import collections
import math
import os
import pathlib
import re
import statistics
import threading
import time

MIB = 1024 * 1024
GROWTH_MAX = 1.10
# A short soak is to a large part the warm-up of a daemon: its caches, heaps and thread pools.
SHORT_SECONDS, SHORT_GROWTH_MAX = 600, 1.50
# Pools get a thread more on a busy machine, now and then, and have a limit; a leak has one more for each request.
ALLOWANCES = {"threads": 8}
WINDOW = 0.1
"""The windows that are compared, as parts of the load's time: one around its middle, and one that ends with it."""
MIDDLE, END = (0.5 - WINDOW / 2, 0.5 + WINDOW / 2), (1 - WINDOW, 1.0)

# Grows with the history by design: its size is compared per event.
PER_EVENT = {"log": "log with its tree of hashes, bytes per event", "read model": "read model, bytes per event"}
# Has a limit of its own (`history-bytes-max`) and follows the read model's size below that.
BOUNDED = {"past read models"}
_PARTS = {
    "log": "log", "audit": "log", "as-of": "past read models", "read-model.sqlite": "read model",
    "environments": "environments"}


def disk(data):
    """The bytes of a data directory by part; files that disappear meanwhile have none."""
    sizes = collections.Counter()
    for folder, _, names in os.walk(data):
        for name in names:
            path = pathlib.Path(folder, name)
            try:
                size = path.stat().st_size
            except OSError:
                continue
            sizes[_PARTS.get(path.relative_to(data).parts[0], "rest")] += size
    return sizes


def descendants(process):
    """The number of processes below this one, zombies included."""
    children = collections.defaultdict(list)
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children[parent].append(int(stat.parent.name))
    found, waiting = 0, [process]
    while waiting:
        below = children[waiting.pop()]
        found += len(below)
        waiting += below
    return found


def open_files(process):
    """The descriptors of a process, counted by the names of what they are of, without numbers and identifiers."""
    found = collections.Counter()
    for descriptor in pathlib.Path(f"/proc/{process}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        found[re.sub(r"[0-9a-f-]*\d[0-9a-f-]*", "#", pathlib.Path(target).name)] += 1
    return found


def descriptors(process):
    return len(os.listdir(f"/proc/{process}/fd"))


def sample(sluice):
    """Everything that must not grow with time, by name."""
    process = sluice.process.pid
    metrics = sluice.client().get("/metrics").content.decode()
    position = int(metrics.split("\nsluice_log_position ")[1].split()[0])
    sizes = disk(sluice.data)
    status = pathlib.Path(f"/proc/{process}/status").read_text()

    def number(name):
        return int(status.split(f"{name}:")[1].split()[0])

    figures = {
        "resident memory, MiB": number("VmRSS") / 1024, "descriptors": descriptors(process),
        "threads": number("Threads"), "processes": descendants(process), "environments of agents, MiB": sizes["environments"] / MIB,
        "everything else on the disk, MiB": sizes["rest"] / MIB}
    figures |= {name: sizes[part] / position for part, name in PER_EVENT.items()}
    return figures, {part: sizes[part] for part in BOUNDED}, position


class Sampler(threading.Thread):
    """Samples a daemon at an interval, from `start` until `stop`."""

    def __init__(self, sluice, seconds):
        super().__init__(name="sampler", daemon=True)
        self.sluice, self.seconds = sluice, seconds
        self.interval = max(0.5, seconds / 600)
        self.begin, self.ended, self.samples, self.failures = time.monotonic(), threading.Event(), [], []

    def run(self):
        while not self.ended.wait(self.interval):
            try:
                self.samples.append(((time.monotonic() - self.begin) / self.seconds, *sample(self.sluice)))
            except Exception as error:
                self.failures.append(f"sample: {type(error).__name__}: {error}")

    def stop(self):
        self.ended.set()
        self.join()

    def series(self):
        """The values of each figure with the part of the time at which they were taken."""
        found = collections.defaultdict(list)
        for at, figures, _, _ in self.samples:
            for name, value in figures.items():
                found[name].append((at, value))
        return found


def window(values, bounds):
    """The median of the values of a window of time."""
    chosen = [value for at, value in values if bounds[0] <= at <= bounds[1]]
    assert chosen, f"no sample between {bounds[0]:.0%} and {bounds[1]:.0%} of the time"
    return statistics.median(chosen)


def compared(series):
    """The middle, the end, and the growth of each figure."""
    found = {}
    for name, values in series.items():
        middle, end = window(values, MIDDLE), window(values, END)
        found[name] = (middle, end, end / middle if middle else math.inf if end else 1.0)
    return found


def grown(comparison, seconds=SHORT_SECONDS):
    """The figures whose end is more than a tenth, and their allowance, above their middle."""
    growth_max = GROWTH_MAX if seconds >= SHORT_SECONDS else SHORT_GROWTH_MAX
    return {
        name: (middle, end, growth) for name, (middle, end, growth) in comparison.items()
        if growth > growth_max and end - middle > ALLOWANCES.get(name, 0)}
