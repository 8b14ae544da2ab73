"""Clients of event streams that come and go: some close, some reset, some resume where they were."""

import asyncio
import contextlib
import json
import random
import threading

LIFETIME_SECONDS = (5, 60)
CONNECT_TIMEOUT_SECONDS = 120


class StreamFailed(Exception):
    pass


class StreamClients(threading.Thread):
    """So many places of clients; each client stays for a while, and another one takes its place."""

    def __init__(self, sluice, runs, keys, count, seconds):
        super().__init__(name="streams", daemon=True)
        self.sluice, self.runs, self.keys, self.count, self.seconds = sluice, runs, keys, count, seconds
        self.random = random.Random(21)
        self.opened = self.received = self.open = self.open_max = 0
        self.failures, self.ended = [], None
        self.running = threading.Event()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        self.running.set()
        await asyncio.gather(*(self.place(number) for number in range(self.count)))

    def stop(self):
        self.running.wait()
        self.loop.call_soon_threadsafe(self.ended.set)
        self.join()

    async def place(self, number):
        # The first ones come one after the other, within a twentieth of the time.
        await self.pause(self.seconds / 20 * number / self.count)
        run, key, last = self.runs[number % len(self.runs)], self.keys[number % len(self.keys)], []
        while not self.ended.is_set():
            if self.random.random() < 0.5:
                last.clear()
            try:
                await self.client(run, key, last)
            except (StreamFailed, OSError, EOFError, TimeoutError) as error:
                if not self.ended.is_set():
                    self.failures.append(f"stream of {run}: {type(error).__name__}: {error}")
                await self.pause(1)

    async def pause(self, seconds):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)

    async def client(self, run, key, last):
        """One client from its connection to its end; `last` has the id of the last event, if there was one."""
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(self.sluice.listen_host, self.sluice.port), CONNECT_TIMEOUT_SECONDS)
        try:
            resume = f"Last-Event-ID: {last[0]}\r\n" if last else ""
            writer.write(
                f"GET /runs/{run}/events/stream HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer {key}\r\n{resume}\r\n"
                .encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CONNECT_TIMEOUT_SECONDS)
            if not head.startswith(b"HTTP/1.1 200") or b"text/event-stream" not in head.lower():
                raise StreamFailed(head[:200])
            await self.follow(reader, last)
        finally:
            if self.random.random() < 0.5:
                writer.transport.abort()
            writer.close()

    async def follow(self, reader, last):
        self.opened += 1
        self.open += 1
        self.open_max = max(self.open_max, self.open)
        reading = asyncio.create_task(self.read(reader, last))
        leaving = asyncio.create_task(self.pause(self.random.uniform(*LIFETIME_SECONDS)))
        try:
            await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            self.open -= 1
            reading.cancel()
            leaving.cancel()

    async def read(self, reader, last):
        """Reads events until it is cancelled: their ids go up, and their data are JSON."""
        while line := await reader.readline():
            if line.startswith(b"id: "):
                number = int(line[4:])
                if last and number <= last[0]:
                    raise StreamFailed(f"event {number} after {last[0]}")
                last[:] = [number]
                self.received += 1
            elif line.startswith(b"data: "):
                json.loads(line[6:])
        raise StreamFailed("the stream ended")
