"""Redis of its own: a server in the bench's directory, on a Unix socket, that syncs its log before it answers."""

import re

import workload
from context import Bench, NotMeasured
from processes import Server, needed, output, own_directory

USER = "redis"
_SETTINGS = {
    "port": 0, "unixsocketperm": 777, "appendonly": "yes", "appendfsync": "always", "save": "",
    # No rewrite of its log falls into a round.
    "auto-aof-rewrite-percentage": 0,
}


class Redis(Server):
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        home = own_directory(bench.path("redis"), USER)
        home.chmod(0o711)
        self.socket = home / "socket"
        flags = [part for name, value in _SETTINGS.items() for part in (f"--{name}", value)]
        super().__init__(
            [needed("redis-server"), "--dir", home, "--unixsocket", self.socket, *flags], bench.path("redis.log"),
            user=USER)
        self.await_ready(self._is_ready)
        self.settings = self._settings()
        self._rate = 0.0

    def adds(self, clients: int) -> float:
        """Durable XADDs a second of the fields that an event has, one command at a time for each client."""
        if not self._rate:
            self._rate = self._measure(clients, 10_000)
        self._rate = self._measure(clients, max(10_000, int(self._rate * self.bench.seconds)))
        return self._rate

    def _measure(self, clients: int, count: int) -> float:
        event = workload.EVENT
        command = [
            "XADD", "events", "*", "run_id", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "type", event["type"], "actor",
            event["actor"], "data", workload.data()]
        text = output([
            needed("redis-benchmark"), "-s", self.socket, "-c", clients, "-P", 1, "-n", count, "--csv", *command])
        # The command itself, unescaped, stands before the seven numbers, of which this is the first.
        return float(re.findall(r'"([\d.]+)"', text)[-7])

    def _ask(self, *command: str) -> list[str]:
        return output([needed("redis-cli"), "-s", self.socket, *command]).split()

    def _is_ready(self) -> bool:
        try:
            return self._ask("PING") == ["PONG"]
        except NotMeasured:
            return False

    def _settings(self) -> str:
        version = next(line for line in self._ask("INFO", "server") if line.startswith("redis_version:"))
        shown = [" ".join(self._ask("CONFIG", "GET", name)) for name in ("appendonly", "appendfsync")]
        return f"Redis {version.partition(':')[2]}: {', '.join(shown)}"
