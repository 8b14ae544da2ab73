"""The daemon under test, and the bare server that is its ceiling."""

import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path

from context import Bench, NotMeasured
from processes import Server, free_port, is_listening

KEY = "benchmark-admin-key-0123456789"


class Daemon(Server):
    """`sluice serve`, on a fresh data directory unless one is given; ready once this returns."""

    def __init__(
        self, bench: Bench, data: Path | None = None, settings: Mapping[str, object] | None = None, *options: str
    ) -> None:
        self.data = data or bench.path("data")
        self.port = free_port()
        flags = [part for name, value in (settings or {}).items() for part in ("--set", f"{name}={value}")]
        started = time.monotonic()
        super().__init__(
            [bench.product("sluice"), "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}", *flags,
             *options],
            bench.path("sluice.log"), environment={"SLUICE_API_KEY": KEY})
        self.await_ready(self._is_ready, seconds=600, interval=0.002)
        self.start_seconds = time.monotonic() - started

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _is_ready(self) -> bool:
        try:
            return self.answer("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def answer(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, path, body, {"Authorization": f"Bearer {KEY}", "Content-Type": content_type})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None) -> dict:
        status, answer = self.answer(method, path, None if body is None else json.dumps(body).encode())
        if status // 100 != 2:
            raise NotMeasured(f"{method} {path} was answered {status}: {answer[:200].decode(errors='replace')}")
        return json.loads(answer)

    def new_run(self) -> str:
        return self.ask("POST", "/runs", {"agent_id": "billing", "user_id": "ada", "conversation_id": "conv-7"})["id"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Echo(Server):
    """Bare Hummingbird: answers a POST with its own JSON, and a GET with the bytes of a file."""

    def __init__(self, bench: Bench, body: Path | None = None) -> None:
        self.port = free_port()
        super().__init__(
            [bench.product("EchoServer"), self.port, *([body] if body else [])], bench.path("echo.log"))
        self.await_ready(lambda: is_listening(self.port))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
