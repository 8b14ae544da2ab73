"""Makes a handler's result one that the published runtime can send: it knows texts, and dictionaries that are JSON.

Generators are read to their end, bytes become text, and values without a JSON form of their own become their text.
"""

import dataclasses
import enum
import inspect

# Deeper values are sent as their text.
DEPTH_MAX = 50


async def awaited(result):
    """The result of an asynchronous handler."""
    if inspect.isawaitable(result):
        result = await result
    if inspect.isasyncgen(result):
        result = _joined([part async for part in result])
    return plain(result)


def plain(result):
    """The result of a handler, as the runtime can take it."""
    if inspect.isgenerator(result):
        result = _joined(list(result))
    if isinstance(result, dict):
        return as_json(result)
    return _text(result) if isinstance(result, (bytes, bytearray, memoryview)) or not _has_text(result) else result


def _joined(parts):
    """The parts of a generator: one text where all of them are."""
    if all(isinstance(part, (str, bytes, bytearray)) for part in parts):
        return "".join(part if isinstance(part, str) else _text(part) for part in parts)
    return parts


def as_json(value, above=()):
    """The JSON form of a value within the values above it."""
    if value is None or isinstance(value, (str, bool, int, float)) and not isinstance(value, enum.Enum):
        return value
    if len(above) >= DEPTH_MAX or any(each is value for each in above):
        return _text(value)
    above = (*above, value)
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _text(key): as_json(each, above) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(each, above) for each in value]
    if isinstance(value, enum.Enum):
        return as_json(value.value, above)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name), above) for field in dataclasses.fields(value)}
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return as_json(value.model_dump(), above)
    return _text(value)


def _has_text(value):
    try:
        str(value)
    except Exception:
        return False
    return True


def _text(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    return str(value) if _has_text(value) else object.__repr__(value)
