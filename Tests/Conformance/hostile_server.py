"""A server whose responses are made to harm the client: generated from a seed, one for each request."""

import asyncio
import collections
import gzip
import random
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
BOMB = gzip.compress(bytes(16 * 1024 * 1024), 9)


class Response:
    """Parts that are sent with a pause between them; `stays` keeps the connection for the next request."""

    def __init__(self, *parts, pause=0.0, stays=False):
        self.parts, self.pause, self.stays = parts, pause, stays


def status_lines(rng):
    code = rng.choice([f"{rng.randrange(100):03}", str(rng.randrange(100, 1000)), str(rng.randrange(10**6)), "", "-1",
                       "2x0", "099", "000", "101", "100", "199", "\u0663\u0663\u0663"])
    version = rng.choice(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.9", "ICY", "http/1.1", ""])
    end = rng.choice(["\r\n"] * 4 + ["\n", "\r", "\r\n\r\n", ""])
    head = f"{version} {code} {rng.choice(['OK', '', 'X' * 5000, chr(0)])}{end}Content-Length: 2\r\n\r\n{{}}"
    return Response(head.encode(), stays=rng.random() < 0.5)


def framing(rng):
    lines = [rng.choice([
        "Content-Length: 2", "Content-Length: 3", "Content-Length: 0", "Content-Length: -1", "Content-Length: 0x2",
        "Content-Length: 99999999999999999999", "Content-Length: 9223372036854775807", "Content-Length: 2, 2",
        "Content-Length : 2", "Content-Length:", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding:\x0bchunked", "Connection: upgrade\r\nUpgrade: websocket", "Connection: close",
    ]) for _ in range(rng.randrange(1, 4))]
    body = rng.choice([
        b"{}", b"", b"2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n", b"fffffffffffffffff\r\n{}", b"-1\r\n{}", b"2;" + b"x" * 9000,
        b"0\r\nX: y\r\nContent-Length: 5\r\n\r\n", b"2\r\n{}0\r\n\r\n", b"\r\n\r\n", b"1\r\n{\r\n" * 500, OK])
    status = rng.choice([200, 200, 200, 204, 304, 401, 500])
    head = "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode()
    return Response(head + body, stays=rng.random() < 0.5)


def headers(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return Response(b"HTTP/1.1 200 OK\r\nX: " + b"a" * rng.choice([70_000, 90_000, 300_000]) + b"\r\n\r\n")
    if kind == 1:
        return Response(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * rng.choice([200, 257, 5000]) + b"\r\n")
    if kind == 2:
        return Response(b"HTTP/1.1 200 OK\r\n" + b"N" * 200_000 + b": v\r\n\r\n")
    name = bytes(rng.randrange(256) for _ in range(rng.randrange(6)))
    value = bytes(rng.randrange(256) for _ in range(rng.randrange(30)))
    return Response(b"HTTP/1.1 200 OK\r\n" + name + rng.choice([b": ", b":", b" : ", b""]) + value
                    + rng.choice([b"\r\n", b"\n", b"\r\n folded\r\n"]) + b"Content-Length: 2\r\n\r\n{}")


def bombs(rng):
    coding = rng.choice(["gzip", "deflate", "br", "gzip, gzip"])
    kind = rng.choice(["text/event-stream", "application/json"])
    return Response(f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB)


def endless(rng):
    head = rng.choice([b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n"])
    return Response(head, *[b"x" * 65_536] * 64)


def drips(rng):
    text = rng.choice([OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"])
    at = sorted(rng.randrange(len(text)) for _ in range(3))
    return Response(text[:at[0]], text[at[0]:at[1]], text[at[1]:at[2]], text[at[2]:], pause=rng.random() / 20, stays=True)


def early_closes(rng):
    return Response(OK[:rng.randrange(len(OK))])


def garbage(rng):
    first = rng.choice([b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", b"\x16\x03\x01",
                        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"\r\n" * 100, b"HTTP/1.1", b"<html>"])
    return Response(first + rng.randbytes(rng.randrange(400)))


def interim(rng):
    code = rng.choice([100, 101, 102, 103, 150, 199])
    line = rng.choice(["", "Content-Length: 5\r\n", "Link: </x>\r\n", "Transfer-Encoding: chunked\r\n"])
    one = f"HTTP/1.1 {code} X\r\n{line}\r\n".encode()
    return Response(one * rng.choice([1, 2, 8, 9, 500]) + rng.choice([OK, b"", b"x"]), stays=rng.random() < 0.5)


def doubled(rng):
    return Response(OK * rng.randrange(2, 5), *[OK] * rng.randrange(3), pause=0.001, stays=True)


def mutated(rng):
    text = bytearray(rng.choice([OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n"]))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(text))
        change = rng.randrange(3)
        if change == 0:
            text[at] = rng.randrange(256)
        elif change == 1:
            del text[at]
        else:
            text[at:at] = rng.choice([b"\r\n", b"\n", b"\0", b" ", b":", b"0", b"\xff", OK[:20]])
    return Response(bytes(text), stays=rng.random() < 0.5)


FREQUENT = [status_lines, framing, headers, early_closes, garbage, interim, doubled, mutated]
RARE = [bombs, endless, drips]


class HostileServer:
    """`served` counts the responses, `paths` by their path; `make` may give others than the generated ones."""

    def __init__(self, seed, make=None):
        self.rng = random.Random(seed)
        self.make = make or self.generate
        self.served = 0
        self.paths = collections.Counter()
        self.kinds = set()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self.run, args=[started], daemon=True).start()
        assert started.wait(10)

    def generate(self):
        kind = self.rng.choice(RARE if self.rng.random() < 0.01 else FREQUENT)
        self.kinds.add(kind)
        return kind(self.rng)

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader, writer):
        try:
            while path := await self.read_request(reader):
                response = self.make()
                self.served += 1
                self.paths[path] += 1
                for part in response.parts:
                    writer.write(part)
                    await writer.drain()
                    if response.pause:
                        await asyncio.sleep(response.pause)
                if not response.stays:
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def read_request(reader):
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        except TimeoutError:
            return None
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
        return head.split()[1].decode().partition("?")[0]

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
