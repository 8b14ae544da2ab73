"""Waits for what cannot be awaited: what another process does, and nothing tells of."""

import time


def eventually(read, accept, seconds=60):
    """Reads until what was read is acceptable; returns it."""
    deadline = time.monotonic() + seconds
    while not accept(value := read()):
        assert time.monotonic() < deadline, value
        time.sleep(0.05)
    return value


def until_true(fact, seconds=30):
    """Reads until what was read is true; returns it."""
    return eventually(fact, bool, seconds)
