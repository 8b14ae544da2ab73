"""PostgreSQL of its own: a cluster in the bench's directory, on a Unix socket, durable as it comes."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import workload
from context import Bench, NotMeasured
from processes import Server, needed, output, own_directory

USER = "postgres"
_SETTINGS = ["fsync", "synchronous_commit", "wal_sync_method", "full_page_writes", "shared_buffers", "max_wal_size"]
# More than the defaults give, so that no checkpoint falls into a round.
_TUNING = {"shared_buffers": "1GB", "max_wal_size": "8GB", "synchronous_commit": "on", "listen_addresses": ""}

_TABLE = """
CREATE TABLE events (
    run_id uuid NOT NULL, seq bigint NOT NULL, event_id uuid NOT NULL, type text NOT NULL, actor text, data jsonb,
    created_at timestamptz NOT NULL, PRIMARY KEY (run_id, seq));
CREATE SEQUENCE seqs CACHE 1;
"""
_INSERT = """
INSERT INTO events (run_id, seq, event_id, type, actor, data, created_at)
VALUES (:run, nextval('seqs'), gen_random_uuid(), :type, :actor, :data, now());
"""


_NULL = "\\N"


class Postgres(Server):
    stop_signal = signal.SIGINT  # a fast shutdown

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        programs = _programs()
        self.home = own_directory(bench.path("postgres"), USER)
        cluster = self.home / "cluster"
        self.home.chmod(0o711)
        output(
            [programs / "initdb", "-D", cluster, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"],
            user=USER)
        flags = [part for name, value in _TUNING.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            [programs / "postgres", "-D", cluster, "-k", self.home, *flags], bench.path("postgres.log"), user=USER)
        self.await_ready(self._is_ready)
        self.settings = self._settings()

    def sql(self, text: str) -> str:
        return output([needed("psql"), "-qAt", "-v", "ON_ERROR_STOP=1", "-c", text], environment=self._address).strip()

    def copy_in(self, table: str, rows: Iterable[list[str | None]]) -> int:
        """Loads rows into a table; answers how many there were."""
        count = 0
        command = [needed("psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", f"COPY {table} FROM STDIN"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, text=True, env=os.environ | self._address) as program:
            for count, row in enumerate(rows, start=1):
                program.stdin.write("\t".join(_NULL if each is None else _escaped(each) for each in row) + "\n")
        if program.returncode != 0:
            raise NotMeasured(f"psql ended with {program.returncode}")
        return count

    def make_table(self) -> None:
        self.sql(_TABLE)

    def inserts(self, clients: int) -> float:
        """Durable single-row inserts a second of the fields that an event has."""
        script = self.bench.directory / "insert.sql"
        script.write_text(_INSERT)
        event = workload.EVENT
        values = {
            "run": "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "type": event["type"], "actor": event["actor"],
            "data": workload.data()}
        text = output(
            [needed("pgbench"), "-n", "-M", "prepared", "-c", clients, "-j", 1, "-T", self.bench.seconds, "-f", script,
             *(part for name, value in values.items() for part in ("-D", f"{name}={value}"))],
            environment=self._address)
        return float(re.search(r"^tps = ([\d.]+)", text, re.MULTILINE)[1])

    @property
    def _address(self) -> dict[str, str]:
        return {"PGHOST": str(self.home), "PGUSER": USER, "PGDATABASE": "postgres"}

    def _is_ready(self) -> bool:
        try:
            return self.sql("SELECT 1") == "1"
        except NotMeasured:
            return False

    def _settings(self) -> str:
        shown = [f"{name} {self.sql(f'SHOW {name}')}" for name in _SETTINGS]
        return f"PostgreSQL {self.sql('SHOW server_version')}: {', '.join(shown)}"


def _escaped(text: str) -> str:
    """Text as COPY reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _programs() -> Path:
    """Where initdb and postgres are: Debian keeps them by version, beside the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if not shutil.which("initdb"):
        raise NotMeasured("PostgreSQL is not installed")
    return Path(needed("initdb")).parent
