"""Ten times the load that the daemon can serve, for $OVERLOAD_SECONDS: `make overload`.

The disk is made slow, so that it and neither the daemon nor the load is what cannot keep up. That takes a daemon of the
release configuration.
"""

import asyncio
import concurrent.futures
import contextlib
import itertools
import os
import threading
import time

import pytest

from raw_requests import event_request, read_answer

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "0"))
TIMES = 10
SYNC_MILLISECONDS = "2000"
MESSAGE_BYTES = 65_536
CONNECTIONS = 2_000
# Enough to fill some batches, and too few for a refusal.
UNHURRIED_CONNECTIONS = 128
UNHURRIED_ROUNDS = 2
# 64 MiB of commands that wait, as they lie in memory, and what 2,000 connections have in hand. Measured: 353.
RESIDENT_MIB_MAX = 600

pytestmark = pytest.mark.skipif(not SECONDS, reason="needs the release configuration: make overload")


class Load:
    """Posts to one run, each with a number of its own, and what was answered."""

    def __init__(self, sluice, run):
        self.port = sluice.port
        self.run = run
        self.numbers = itertools.count()
        self.accepted = {}
        self.refused = set()
        self.idle = []

    async def connect(self, count):
        for _ in range(count - len(self.idle)):
            self.idle.append(await asyncio.open_connection("127.0.0.1", self.port))

    async def post(self, connection):
        reader, writer = connection
        number = next(self.numbers)
        writer.write(event_request(self.run, str(number).ljust(MESSAGE_BYTES, "x")))
        status, headers, body = await read_answer(reader)
        if status == 201:
            self.accepted[body["event_id"]] = number
        else:
            assert status in (429, 503) and int(headers["retry-after"]) > 0, (status, headers, body)
            self.refused.add(number)

    async def serve_all(self):
        """What it can serve: posts a second of clients that wait for their answers."""
        await self.connect(UNHURRIED_CONNECTIONS)
        begin = time.monotonic()

        async def rounds(connection):
            for _ in range(UNHURRIED_ROUNDS):
                await self.post(connection)

        await asyncio.gather(*map(rounds, self.idle))
        return len(self.accepted) / (time.monotonic() - begin)

    async def offer(self, rate, seconds, on_end):
        """Posts at that rate, whatever is answered; what finds every connection waiting for its answer is not sent."""
        await self.connect(CONNECTIONS)
        begin, posts, unsent = time.monotonic(), [], 0

        async def post(connection):
            await self.post(connection)
            self.idle.append(connection)

        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, begin + number / rate - time.monotonic()))
            if self.idle:
                posts.append(asyncio.create_task(post(self.idle.pop())))
            else:
                unsent += 1
        took = time.monotonic() - begin
        on_end()
        await asyncio.gather(*posts)
        return len(posts) / took, unsent


@contextlib.contextmanager
def watched(look, pause_seconds=0.5):
    """What `look` sees, again and again meanwhile."""
    seen, ended = [], threading.Event()

    def watch():
        while not ended.wait(pause_seconds):
            seen.append(look())

    with concurrent.futures.ThreadPoolExecutor(1) as watching:
        watched = watching.submit(watch)
        try:
            yield seen
        finally:
            ended.set()
        watched.result()


def test_ten_times_what_can_be_served_is_refused_honestly_in_bounded_memory_and_loses_nothing(faulty):
    sluice = faulty()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    (sluice.faults / "delay").write_text(SYNC_MILLISECONDS)
    load = Load(sluice, run)

    async def work():
        capacity = await load.serve_all()
        assert not load.refused
        return capacity, *await load.offer(TIMES * capacity, SECONDS, (sluice.faults / "delay").unlink)

    with watched(lambda: (sluice.memory_mib("VmRSS"), sluice.client().get(f"/runs/{run}").status)) as seen:
        capacity, rate, unsent = asyncio.run(work())
    resident = [mib for mib, _ in seen]
    half = len(resident) // 2
    for name, value in [
            ("served a second", round(capacity)), ("offered a second", round(rate)), ("not sent", unsent),
            ("accepted", len(load.accepted)), ("refused", len(load.refused)),
            ("resident MiB, first half", max(resident[:half])), ("second half", max(resident[half:]))]:
        print(f"{name}: {value:,}")
    assert len(load.refused) > len(load.accepted), "it was no overload"
    assert max(resident) < RESIDENT_MIB_MAX
    assert {status for _, status in seen} == {200}, "reads are not refused because writes are"

    sluice.restart()
    recorded = {}
    while page := sluice.client().get(f"/runs/{run}/events?limit=1000&after_seq={len(recorded)}").json:
        recorded |= {event["event_id"]: int(event["data"]["message"].rstrip("x")) for event in page}
    assert recorded == load.accepted
    assert sluice.stop() == 0
    assert sluice.run("log", "verify", "--data-dir", sluice.data).returncode == 0
