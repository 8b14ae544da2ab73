"""The read models made anew from the log, beside the same rows inserted with nothing to decode."""

import re
import sqlite3
import time
from collections.abc import Iterator
from itertools import islice

from context import Bench
from history import History, histories
from rounds import alternate
from table import Figure

# As Sources/Projections and EventStore.pageEventsMax have it: what a rebuild applies in one transaction, and how.
_TRANSACTION_EVENTS = 1024
_PRAGMAS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY"

# How many transactions' rows are loaded at a time; loading is not measured.
_LOADED_TRANSACTIONS = 64

Rows = list[tuple[str, list[tuple]]]


def beside_plain_inserts(bench: Bench) -> list[Figure]:
    history = histories(bench).small
    pair = alternate(
        bench.rounds, lambda: history.events / history.timed("projections", "rebuild"),
        lambda: history.events / _insert_all(bench, history))
    return [Figure.of(pair, "the same rows by plain INSERTs", " events/s")]


def _insert_all(bench: Bench, history: History) -> float:
    """Seconds that it takes to insert every row of the read models into a new file, transaction by transaction."""
    source = sqlite3.connect(f"file:{history.data / 'read-model.sqlite'}?mode=ro", uri=True)
    path = bench.path("rows.sqlite")
    target = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True, isolation_level=None)
    schema = source.execute(
        # The search index is not among them: its tables have no rows of their own.
        "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'run_text%'").fetchall()
    target.execute(f"PRAGMA page_size = {source.execute('PRAGMA page_size').fetchone()[0]}")
    target.executescript(";\n".join([_PRAGMAS, *(sql for _, _, sql in schema)]))
    seconds = 0.0
    transactions = _transactions(source, _tables(schema))
    while loaded := list(islice(transactions, _LOADED_TRANSACTIONS)):
        start = time.monotonic()
        for transaction in loaded:
            target.execute("BEGIN IMMEDIATE")
            for statement, rows in transaction:
                target.executemany(statement, rows)
            target.execute("COMMIT")
        seconds += time.monotonic() - start
    start = time.monotonic()
    target.close()
    seconds += time.monotonic() - start
    source.close()
    path.unlink()
    return seconds


def _tables(schema: list[tuple[str, str, str]]) -> list[str]:
    """Those that are not filled by triggers."""
    triggers = " ".join(sql for kind, _, sql in schema if kind == "trigger")
    filled = set(re.findall(r"INSERT INTO (\w+)", triggers))
    return [name for kind, name, _ in schema if kind == "table" and name not in filled and name != "sqlite_sequence"]


def _transactions(source: sqlite3.Connection, tables: list[str]) -> Iterator[Rows]:
    """All rows in the log's order, as many at a time as the events of one transaction have made."""
    cursors = [_Cursor(source, table) for table in tables]
    end = 0
    while any(not cursor.is_over for cursor in cursors):
        end += _TRANSACTION_EVENTS
        yield [(cursor.statement, cursor.rows_through(end)) for cursor in cursors]


class _Cursor:
    """A table's rows by the position they came with; those of a table without positions come first."""

    def __init__(self, source: sqlite3.Connection, table: str) -> None:
        columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
        by_position = " ORDER BY position" if "position" in columns else ""
        self.statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        self._at = columns.index("position") if by_position else None
        self._rows = source.execute(f"SELECT * FROM {table}{by_position}")
        self._next = self._rows.fetchone()

    @property
    def is_over(self) -> bool:
        return self._next is None

    def rows_through(self, position: int) -> list[tuple]:
        rows = []
        while self._next is not None and (self._at is None or self._next[self._at] <= position):
            rows.append(self._next)
            self._next = self._rows.fetchone()
        return rows
