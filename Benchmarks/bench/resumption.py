"""A run with many recorded calls that continues: its agent is called again and receives every outcome over HTTP."""

import http.server
import selectors
import socket
import threading
import time

from context import Bench
from daemon import Daemon
from journal import Attempts
from table import Figure

CALLS = 5000
CONNECTIONS = 32


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 4 * CONNECTIONS


class Tool:
    """A tool that answers each payment at once."""

    def __enter__(self) -> "Tool":
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"paid")

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Connection:
    """Sends requests of a shared list one after the other."""

    def __init__(self, port: int, requests: list[bytes], statuses: list[int]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests, self.statuses, self.received = requests, statuses, b""

    def send(self) -> bool:
        """Sends the next request; False when there is none."""
        if not self.requests:
            return False
        self.socket.sendall(self.requests.pop())
        return True

    def receive(self) -> bool:
        """Takes what has arrived; True once the response is whole."""
        self.received += self.socket.recv(65536)
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        if len(body) < length:
            return False
        self.statuses.append(int(head.split(b" ", 2)[1]))
        self.received = body[length:]
        return True


def recorded_calls(bench: Bench) -> list[Figure]:
    """The time in which the second attempt receives every outcome of the first."""
    count = CALLS // 20 if bench.is_quick else CALLS
    with Tool() as tool, Attempts() as attempts, Daemon(bench, settings={"invoke-backoff-min": "100ms"}) as daemon:
        address = _agent(daemon, tool.url, attempts.url)
        first = _attempt(daemon, attempts, address, count, 503)
        second = _attempt(daemon, attempts, address, count, 200)
    return [Figure(f"{second:.2f} s", second, f"{count:,} calls made and recorded in {first:.2f} s")]


def _agent(daemon: Daemon, tool: str, invoke_url: str) -> str:
    """Begins the run; the path of the agent's calls."""
    daemon.ask("POST", "/api/v1/tools", {"name": "bank", "spec": {
        "connection": {"baseUrl": tool}, "capabilities": [{"method": "*", "path": "/*"}]}})
    daemon.ask("POST", "/api/v1/policies", {
        "name": "paying", "spec": {"policies": [{"permission": "allow", "resource": f"{tool}/*"}]}})
    daemon.ask("POST", "/api/v1/deploy", {
        "agent_name": "payer", "image": "i", "required_tools": ["bank"], "policies": ["paying"]})
    made = daemon.ask("POST", "/api/v1/auth/api-keys", {"name": "payer", "role": "agent", "agent": "payer"})
    daemon.ask("POST", "/runs", {"agent_id": "payer", "user_id": "ada", "invoke_url": invoke_url, "message": "go"})
    return f"/as/{made['token']}/egress/bank/pay"


def _attempt(daemon: Daemon, attempts: Attempts, path: str, count: int, status: int) -> float:
    """Seconds of an attempt that makes every call."""
    started = attempts.started.get(timeout=60)
    requests = [_request(path, started["run_id"], started["request"], number) for number in range(count)]
    statuses: list[int] = []
    connections = [Connection(daemon.port, requests, statuses) for _ in range(CONNECTIONS)]
    begin = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.send()
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while len(statuses) < count:
            for key, _ in selector.select(60):
                if key.data.receive():
                    key.data.send()
    taken = time.perf_counter() - begin
    for connection in connections:
        connection.socket.close()
    assert set(statuses) == {200}, set(statuses)
    attempts.ended.put(status)
    return taken


def _request(path: str, run: str, attempt: str, number: int) -> bytes:
    body = f'{{"payee":{number}}}'
    return (
        f"POST {path} HTTP/1.1\r\nHost: gate\r\nX-Run-ID: {run}\r\nX-Request-Id: {attempt}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
