"""A mixed load for $SOAK_SECONDS, at the end of which nothing is larger than in the middle: `make soak`.

It takes a daemon of the release configuration; docs/benchmarks.md says what is measured.
"""

import collections
import itertools
import json
import os

import pytest

from soak_measures import BOUNDED, MIB, Sampler, compared, grown, open_files
from soak_streams import StreamClients
from soak_work import Load
from soak_world import SoakWorld
from waiting import eventually

SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))
WHOLE_SECONDS = 1200
STREAMS = 2_000
HISTORY_BYTES_MAX = 256 * MIB
# Of an idle daemon, which has a few connections of its own at times.
DESCRIPTORS_MORE_MAX = 24
# Event loops, the shared pool, and a thread for each serial queue: docs/operation.md has the queues.
THREADS_MAX = 80 + 4 * (os.cpu_count() or 1)
# A machine that does much less than the plan shows nothing.
DONE_MIN = 0.8

soak = pytest.mark.skipif(not SECONDS, reason="needs the release configuration and time: make soak")


def planned(load, world):
    """The load of 20 minutes; shorter ones have their part of it."""
    def of(count, least=2):
        return max(least, round(count * SECONDS / WHOLE_SECONDS))

    load.add("runs", of(10_000), world.life_of_a_run, beside=8)
    load.add("messages to streams", of(2_400), world.speak_in_a_room)
    load.add("invoked runs", of(600), world.invoked_run, beside=4)
    load.add("calls of tools", of(1_200), world.governed_call, beside=3)
    load.add("redeploys", of(50), world.redeploy)
    load.add("whole lists", of(400), world.whole_list, beside=2)
    load.add("pages", of(2_400), world.page, beside=2)
    load.add("exports", of(120), world.export)
    load.add("questions about the past", of(400), world.ask_the_past, beside=2)
    load.add("secrets replaced", of(200), world.replace_secret)
    load.add("backups", of(40), world.back_up)


def shown(load, streams, comparison, statuses):
    for name, (done, total) in load.counts().items():
        print(f"{name}: {done:,} of {total:,}")
    print(f"streams: {streams.opened:,} clients, {streams.open_max:,} at once, {streams.received:,} events received")
    print(f"responses by status: {dict(sorted(statuses.items()))}")
    for name, (middle, end, growth) in comparison.items():
        print(f"{name}: middle {middle:,.2f}, end {end:,.2f}, {growth - 1:+.1%}")


def more_open(sluice, at_rest):
    """Descriptors that were not there at rest. Read models keep their connections: pools of those of now and of eight
    past positions at most."""
    more = open_files(sluice.process.pid) - at_rest
    return collections.Counter({name: count for name, count in more.items() if ".sqlite" not in name})


def some_of_each(failures, count=8):
    """The first failures of each kind of work; a kind is a failure's first word."""
    kinds = itertools.groupby(sorted(failures, key=lambda text: text.split()[0]), lambda text: text.split()[0])
    return [failure for _, kind in kinds for failure in itertools.islice(kind, count)]


@soak
def test_nothing_grows_and_nothing_fails_under_a_mixed_load(own_sluice, tmp_path):
    sluice = own_sluice(
        SLUICE_STREAMS_MAX=str(2 * STREAMS), SLUICE_CONNECTIONS_MAX="8192",
        SLUICE_HISTORY_BYTES_MAX=str(HISTORY_BYTES_MAX), SLUICE_LOG_LEVEL="warning")
    world = SoakWorld(sluice, tmp_path)
    at_rest = open_files(sluice.process.pid)
    load, sampler = Load(SECONDS), Sampler(sluice, SECONDS)
    streams = StreamClients(sluice, world.rooms, world.stream_keys, STREAMS, SECONDS)
    planned(load, world)
    sdk = world.sdk()
    streams.start()
    sampler.start()
    load.run()
    sampler.stop()
    streams.stop()
    failures = load.failures + streams.failures + sampler.failures
    if sdk:
        seen = json.loads(sdk.communicate("end\n", timeout=120)[0])
        print(f"\npublished client: {seen['counts']}")
        failures += seen["failures"]
    comparison = compared(sampler.series())
    shown(load, streams, comparison, world.statuses)
    (tmp_path / "samples.json").write_text(json.dumps(sampler.samples))

    assert sluice.process.poll() is None, sluice.output.read_text()[-3000:]
    assert not failures, f"{len(failures)} failures:\n" + "\n".join(some_of_each(failures))
    assert not (found := grown(comparison, SECONDS)), found
    for _, _, bounded, _ in sampler.samples:
        assert all(bounded[part] <= HISTORY_BYTES_MAX for part in BOUNDED), bounded
    assert max(count for _, count in sampler.series()["threads"]) <= THREADS_MAX
    late = {name: counts for name, counts in load.counts().items() if counts[0] < DONE_MIN * counts[1]}
    assert not late, f"the machine is too slow for the load: {late}"
    assert streams.open_max >= DONE_MIN * STREAMS
    # Everything that clients held has been released.
    eventually(lambda: more_open(sluice, at_rest), lambda more: more.total() <= DESCRIPTORS_MORE_MAX, 120)
    world.close()
    assert sluice.stop() == 0
    verified = sluice.run("log", "verify", "--data-dir", sluice.data)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def series(*values):
    return {"figure": [((number + 0.5) / len(values), value) for number, value in enumerate(values)]}


@pytest.mark.parametrize("values, is_growth", [
    ([100] * 40, False),
    ([50 + number for number in range(40)], True),
    ([100] * 30 + [120] * 10, True),
    ([100] * 30 + [500] + [105] * 9, False),
    ([10, 90] + [100] * 38, False),
    ([100] * 20 + [60] * 20, False),
    ([0] * 30 + [1] * 10, True),
])
def test_growth_is_the_end_above_the_middle(values, is_growth):
    assert bool(grown(compared(series(*values)))) == is_growth
