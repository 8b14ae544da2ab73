"""The text of an agent's answer: from the value that a framework returns, or from what a script printed."""

import dataclasses
import functools
import io
import json
import sys

from sluice_agent import attempts, event_loop, results

PRINTED_CHARACTERS_MAX = 1_000_000


def text(value):
    """The value as text. Structured output becomes JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if _is_structured(value):
        return json.dumps(results.as_json(value), ensure_ascii=False)
    return str(value)


def of_message(content):
    """The text of a message's content, which may be a list of parts."""
    if isinstance(content, list) and all(isinstance(part, (str, dict)) for part in content):
        content = "".join(part if isinstance(part, str) else part.get("text", "") for part in content)
    return text(content)


def _is_structured(value):
    if isinstance(value, (list, tuple, dict)):
        return True
    return not isinstance(value, type) and (hasattr(value, "model_dump") or dataclasses.is_dataclass(value))


class Printed(io.TextIOBase):
    """Standard output that also keeps what an attempt prints, where the attempt asks for it."""

    def __init__(self, output):
        self._output = output

    def write(self, part):
        attempt = attempts.inherited()
        if attempt is not None and attempt.printed is not None:
            if attempt.printed.tell() < PRINTED_CHARACTERS_MAX:
                attempt.printed.write(part[:PRINTED_CHARACTERS_MAX])
        return self._output.write(part)

    def flush(self):
        self._output.flush()

    def fileno(self):
        return self._output.fileno()

    def isatty(self):
        return self._output.isatty()

    @property
    def buffer(self):
        return self._output.buffer

    @property
    def encoding(self):
        return self._output.encoding

    @property
    def errors(self):
        return self._output.errors


def of_script(function):
    """The function, with what it printed as its result when it returns none."""
    if not isinstance(sys.stdout, Printed):
        sys.stdout = Printed(sys.stdout)

    @functools.wraps(function)
    def call(*arguments, **options):
        attempt = attempts.inherited()
        if attempt is None:
            return function(*arguments, **options)
        attempt.printed = io.StringIO()
        try:
            result = function(*arguments, **options)
        except (SystemExit, event_loop.Exited) as end:
            if end.code:
                raise event_loop.Exited(end.code) from end
            result = None
        return attempt.printed.getvalue().strip() if result is None else result

    return call
