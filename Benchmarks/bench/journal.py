"""Model calls of a run: what recording a response adds to a call, and what a replay takes."""

import http.client
import http.server
import json
import queue
import statistics
import time
from dataclasses import dataclass, field

from context import Bench
from daemon import Daemon
from local_server import LocalServer
from models import Model
from table import Figure

CALLS = 1000
AGENTS = {"recorded": True, "asked": False}


@dataclass
class Attempts(LocalServer):
    """An agent outside, whose attempts last until the benchmark answers them."""

    started: "queue.Queue[dict]" = field(default_factory=queue.Queue)
    ended: "queue.Queue[int]" = field(default_factory=queue.Queue)

    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        attempts = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                attempts.started.put(body | {"request": self.headers["X-Request-Id"]})
                self.send_response(attempts.ended.get())
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        return Handler

    @property
    def invoke_url(self) -> str:
        return f"{self.url}/invoke"


class Caller:
    """One connection of an agent whose responses are recorded, or are not."""

    def __init__(self, daemon: Daemon, name: str, is_recorded: bool, invoke_url: str) -> None:
        daemon.ask("POST", "/api/v1/deploy", {
            "agent_name": name, "image": "i", "llm_config": {"model": "whole", "journal": is_recorded}})
        made = daemon.ask("POST", "/api/v1/auth/api-keys", {"name": name, "role": "agent", "agent": name})
        self.path = f"/as/{made['token']}/v1/chat/completions"
        self.run = daemon.ask("POST", "/runs", {
            "agent_id": name, "user_id": "ada", "invoke_url": invoke_url, "message": "go"})["id"]
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)

    def call(self, number: int, request: str) -> float:
        """Microseconds of one call."""
        body = json.dumps({"model": "whole", "messages": [{"role": "user", "content": f"question {number}"}]})
        headers = {"Content-Type": "application/json", "X-Run-ID": self.run, "X-Request-Id": request}
        start = time.perf_counter()
        self.connection.request("POST", self.path, body, headers)
        response = self.connection.getresponse()
        response.read()
        taken = (time.perf_counter() - start) * 1e6
        assert response.status == 200, response.status
        return taken


def recorded_and_replayed(bench: Bench) -> list[Figure]:
    """The calls of two agents alternate: first each asks the model, then one of them gets what is recorded."""
    with Model(bench) as model, Attempts() as attempts, Daemon(bench, settings={"invoke-backoff-min": "100ms"}) as daemon:
        daemon.ask("POST", "/api/v1/model-providers", {
            "name": "whole", "credentials": {"api_key": "sk-of-the-model"},
            "spec": {"provider": "openai", "endpoint": model.url("whole"), "models": ["whole"],
                     "auth": {"type": "APIKey"}}})
        callers = {name: Caller(daemon, name, is_recorded, attempts.invoke_url) for name, is_recorded in AGENTS.items()}
        first, second = (_attempt(bench, callers, attempts, status) for status in (503, 200))
    return [
        _beside(first["recorded"], first["asked"], "the same call, not recorded"),
        _beside(second["recorded"], second["asked"], "the model asked again"),
    ]


def _attempt(bench: Bench, callers: dict[str, Caller], attempts: Attempts, status: int) -> dict[str, float]:
    requests = {started["run_id"]: started["request"] for started in (attempts.started.get(timeout=60) for _ in callers)}
    taken: dict[str, list[float]] = {name: [] for name in callers}
    for number in range(CALLS // 20 if bench.is_quick else CALLS):
        for name, caller in callers.items():
            taken[name].append(caller.call(number, requests[caller.run]))
    for _ in callers:
        attempts.ended.put(status)
    return {name: statistics.median(values) for name, values in taken.items()}


def _beside(ours: float, other: float, what: str) -> Figure:
    return Figure(f"{ours:,.0f} µs", ours / other, f"{what}, {other:,.0f} µs", f"{ours / other:.2f}")
