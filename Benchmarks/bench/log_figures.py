"""The log of a history: how fast it is checked, and how small it is."""

import json
import statistics
import subprocess
from pathlib import Path

from context import Bench
from history import histories
from postgres import Postgres
from table import Figure

_TABLE = """
CREATE TABLE history (
    run_id uuid NOT NULL, seq bigint NOT NULL, position bigint NOT NULL, event_id uuid NOT NULL,
    created_at timestamptz NOT NULL, workspace text NOT NULL, type text NOT NULL, actor_kind text NOT NULL,
    actor_key uuid, actor text NOT NULL, data jsonb, PRIMARY KEY (run_id, seq));
"""


def verify(bench: Bench) -> list[Figure]:
    history = histories(bench).small
    rate = statistics.median(history.verify_rates)
    return [Figure(f"{rate:,.0f}/s", rate, f"{history.events:,} events")]


def size(bench: Bench) -> list[Figure]:
    """Beside the same events as JSON lines, and as rows of PostgreSQL."""
    history = histories(bench).small
    stored = history.stats["stored_bytes"] / history.events
    listing = bench.path("events.jsonl")
    with open(listing, "wb") as out:
        subprocess.run([bench.product("sluice"), "log", "cat", "--data-dir", history.data], stdout=out, check=True)
    lines = listing.stat().st_size / history.events
    shown = f"{stored:.0f} bytes"
    figures = [Figure(shown, stored / lines, f"JSON lines {lines:.0f} bytes", f"{stored / lines:.3f}")]
    with Postgres(bench) as postgres:
        rows = _bytes_a_row(postgres, listing)
        bench.note(f"Row 9: {postgres.settings}.")
    listing.unlink()
    return figures + [
        Figure(shown, stored / rows, f"PostgreSQL, table and index, {rows:.0f} bytes", f"{stored / rows:.3f}")]


def _bytes_a_row(postgres: Postgres, listing: Path) -> float:
    postgres.sql(_TABLE)
    with open(listing, encoding="utf-8") as lines:
        count = postgres.copy_in("history", (_row(json.loads(line)) for line in lines if '"stream":"run/' in line))
    return int(postgres.sql("SELECT pg_total_relation_size('history')")) / count


def _row(event: dict) -> list[str | None]:
    actor = event["actor"]
    return [
        event["run_id"], str(event["stream_sequence"]), str(event["position"]), event["id"], event["time"],
        event["workspace"], event["type"], actor["kind"], actor.get("api_key_id"), actor["name"],
        json.dumps(event["data"], separators=(",", ":")) if "data" in event else None]
