"""Calls of tools through the gate, beside the same calls through nginx and without anything between."""

import workload
import wrk
from context import LOADS, Bench
from daemon import Daemon
from processes import Server, free_port, is_listening, needed
from rounds import alternate
from table import Figure

CONNECTIONS = 32
# A run makes 10,000 calls at most.
RUNS = 400

_CONFIGURATION = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  upstream tool {{ server 127.0.0.1:{tool}; keepalive 64; }}
  server {{ listen 127.0.0.1:{tool}; location / {{ default_type application/json; return 200 '{answer}'; }} }}
  server {{
    listen 127.0.0.1:{proxy};
    location / {{ proxy_pass http://tool; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


class Nginx(Server):
    """A tool that answers at once, and a proxy before it."""

    def __init__(self, bench: Bench) -> None:
        self.tool, self.proxy = free_port(), free_port()
        directory = bench.path("nginx")
        directory.mkdir()
        configuration = directory / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                directory=directory, tool=self.tool, proxy=self.proxy, answer=workload.single().decode()))
        super().__init__([needed("nginx"), "-c", configuration, "-p", directory], bench.path("nginx.log"))
        self.await_ready(lambda: is_listening(self.proxy))


class Gate:
    """A daemon with that tool, and runs of an agent that may call it."""

    def __init__(self, bench: Bench, daemon: Daemon, nginx: Nginx) -> None:
        base = f"http://127.0.0.1:{nginx.tool}"
        daemon.ask("POST", "/api/v1/tools", {"name": "tool", "spec": {"connection": {"baseUrl": base}}})
        daemon.ask("POST", "/api/v1/policies", {
            "name": "reading", "spec": {"policies": [{"permission": "allow", "resource": f"{base}/*"}]}})
        daemon.ask("POST", "/api/v1/deploy", {
            "agent_name": "billing", "image": "i", "required_tools": ["tool"], "policies": ["reading"]})
        made = daemon.ask("POST", "/api/v1/auth/api-keys", {"name": "billing", "role": "agent", "agent": "billing"})
        self.url = f"{daemon.url}/as/{made['token']}/egress/tool/item"
        self.runs = bench.path("runs")
        self.runs.write_text("\n".join(daemon.new_run() for _ in range(RUNS)) + "\n")


def beside_nginx(bench: Bench) -> list[Figure]:
    with Nginx(bench) as nginx, Daemon(bench) as daemon:
        gate = Gate(bench, daemon, nginx)
        pair = alternate(
            bench.rounds, lambda: _measured(bench, gate.url, gate, CONNECTIONS)[0],
            lambda: _measured(bench, f"http://127.0.0.1:{nginx.proxy}/item", gate, CONNECTIONS)[0])
        bench.note(f"Row 13: the daemon's resident memory was {daemon.peak_mib:.0f} MiB at most.")
    return [Figure.of(pair, "nginx as a reverse proxy")]


def added_time(bench: Bench) -> list[Figure]:
    with Nginx(bench) as nginx, Daemon(bench) as daemon:
        gate = Gate(bench, daemon, nginx)
        pair = alternate(
            bench.rounds, lambda: _measured(bench, gate.url, gate, 1)[1],
            lambda: _measured(bench, f"http://127.0.0.1:{nginx.tool}/item", gate, 1)[1])
    added = pair.median - pair.median_beside
    return [Figure(f"{added:.2f} ms", added, f"{pair.median:.2f} ms, and {pair.median_beside:.2f} ms without the gate")]


def _measured(bench: Bench, url: str, gate: Gate, connections: int) -> tuple[float, float]:
    return wrk.timed(
        bench, connections, ["-s", LOADS / "egress.lua", url], {"BENCH_RUNS_FILE": str(gate.runs)})
