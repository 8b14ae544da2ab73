"""What is written in the rows about writing: one event for single posts, a thousand that differ for bulk ones."""

import json
import random

EVENT = {
    "type": "AGENT_MESSAGE",
    "actor": "billing",
    "data": {"message": "the invoice of last month is paid, the receipt follows by mail", "language": "en"},
}
BULK_LINES = 1000

_WORDS = (
    "refund the order please customer invoice transfer amount account to from check status and send receipt for last "
    "month again").split()


def single() -> bytes:
    return json.dumps(EVENT).encode()


def data() -> str:
    """The event's document, for peers that keep fields of their own."""
    return json.dumps(EVENT["data"])


def bulk() -> bytes:
    """JSON lines of about the size of the single event."""
    source = random.Random(42)
    return b"".join(
        json.dumps(EVENT | {"data": {"message": " ".join(source.choices(_WORDS, k=10)), "language": "en"}}).encode()
        + b"\n" for _ in range(BULK_LINES))
