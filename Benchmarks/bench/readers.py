"""Posts at a steady rate beside clients that read whole lists, and what a list costs whose client does not read."""

import math
import socket
import threading
import time

import workload
from context import Bench, NotMeasured
from daemon import KEY, Daemon
from history import histories
from rounds import Pair, alternate
from table import Figure

RATE = 200
LISTS = 4
UNREAD = 300
# So many wait for an answer at the same time without delaying the next post.
_CONNECTIONS = 40
_SECONDS = 10
_PATH = "/runs?status=COMPLETED"


def beside_lists(bench: Bench) -> list[Figure]:
    history = histories(bench).small
    history.ensure_read_models()
    settings = {"lists-max": 2 * UNREAD, "principal-share": 100}
    with Daemon(bench, history.data, settings) as daemon:
        run, seconds = daemon.new_run(), bench.seconds if bench.is_quick else _SECONDS
        read: list[int] = []

        def beside() -> float:
            with Lists(daemon, LISTS) as lists:
                p99 = posted(daemon, run, seconds)
            read.append(lists.byte_count)
            return p99

        pair = alternate(bench.rounds, beside, lambda: posted(daemon, run, seconds))
        peak = daemon.peak_mib
        mib_each = unread(daemon)
    rate = sum(read) / len(read) / seconds / 1e6
    bench.note(
        f"Row 18: {LISTS} lists of {history.size.finished:,} runs were read at {rate:,.0f} MB/s together; the daemon's "
        f"resident memory was {peak:.0f} MiB at most.")
    return [_figure(pair), Figure(f"{mib_each:.2f} MiB", mib_each, f"{UNREAD} lists that are not read")]


def _figure(pair: Pair) -> Figure:
    ratio = f"{pair.ratio:.2f} ({pair.ratios[0]:.2f} to {pair.ratios[-1]:.2f})"
    return Figure(f"{pair.median:.1f} ms", pair.ratio, f"alone {pair.median_beside:.1f} ms", ratio)


def posted(daemon: Daemon, run: str, seconds: float) -> float:
    """The p99 in milliseconds of durable posts, each from the time at which it was due."""
    times: list[float] = []
    start = time.monotonic() + 0.1

    def post(number: int) -> None:
        with connected(daemon) as connection:
            body = workload.single()
            request = head("POST", f"/runs/{run}/events", f"Content-Length: {len(body)}\r\n") + body
            for index in range(number, int(RATE * seconds), _CONNECTIONS):
                due = start + index / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                connection.sendall(request)
                answer = received_head(connection)
                if not answer.startswith(b"HTTP/1.1 201"):
                    raise NotMeasured(answer[:200].decode(errors="replace"))
                times.append(time.monotonic() - due)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times) < int(RATE * seconds):
        raise NotMeasured("some posts got no answer")
    return sorted(times)[math.ceil(len(times) * 0.99) - 1] * 1000


def received_head(connection: socket.socket) -> bytes:
    """A whole response of one read or a few; its head first."""
    content = b""
    while b"\r\n\r\n" not in content or not content.rstrip().endswith(b"}"):
        part = connection.recv(65536)
        if not part:
            raise NotMeasured("a connection was closed")
        content += part
    return content


class Lists:
    """Clients that read the whole list as fast as they can, again and again, until the end of the context."""

    def __init__(self, daemon: Daemon, count: int) -> None:
        self.byte_count = 0
        self._daemon = daemon
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(count)]

    def __enter__(self) -> "Lists":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        buffer = bytearray(1 << 20)
        while not self._ended.is_set():
            with connected(self._daemon) as connection:
                connection.sendall(head("GET", _PATH, "Connection: close\r\n"))
                while not self._ended.is_set() and (count := connection.recv_into(buffer)):
                    self.byte_count += count


def unread(daemon: Daemon) -> float:
    """The daemon's memory in MiB for each list whose client reads nothing, once all are blocked."""
    before, connections = daemon.proportional_kib, []
    try:
        for _ in range(UNREAD):
            connection = socket.socket()
            connections.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", daemon.port))
            connection.sendall(head("GET", _PATH, ""))
        for connection in connections:
            connection.settimeout(120)
            if not connection.recv(64, socket.MSG_PEEK).startswith(b"HTTP/1.1 200"):
                raise NotMeasured("a list was refused")
        return (_settled(daemon) - before) / len(connections) / 1024
    finally:
        for connection in connections:
            connection.close()


def _settled(daemon: Daemon) -> float:
    """Memory once it no longer grows."""
    last = -1.0
    while (now := daemon.proportional_kib) > last:
        last = now
        time.sleep(1)
    return last


def connected(daemon: Daemon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", daemon.port), timeout=120)


def head(method: str, path: str, more: str) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\n{more}\r\n").encode()
