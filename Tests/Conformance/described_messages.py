"""Compares messages of streams and webhooks with schemas/asyncapi.yaml, as `described_answers` does with answers."""

import functools
import re

import jsonschema_rs

from described_answers import closed, closed_schemas, document, parsed, problems, resolved

LOCATION = "urn:sluice:messages"
#: Channels by the paths of their streams.
STREAMS = [("runEvents", re.compile(r"/runs/[^/]+/events(/stream)?$")), ("workspaceEvents", re.compile(r"/events/stream$"))]


@functools.cache
def messages():
    """The AsyncAPI document, parsed once a process."""
    return parsed("asyncapi.yaml")


@functools.cache
def registry():
    return jsonschema_rs.Registry(
        [closed_schemas(document()), closed_schemas(messages(), LOCATION)], draft=jsonschema_rs.Draft202012)


@functools.cache
def validator(channel, name, part):
    """Of the `payload` or the `headers` of a message of a channel; no header is forbidden."""
    schema = resolved(messages()["channels"][channel]["messages"][name], messages)[part]
    return jsonschema_rs.Draft202012Validator(
        closed(schema, part == "payload", LOCATION), registry=registry(), validate_formats=True)


def check(channel, name, payload, headers):
    """
    Raises:
        AssertionError: says what is not described.
    """
    for part, value in (("headers", headers), ("payload", payload)):
        found = validator(channel, name, part)
        assert found.is_valid(value), f"{part} of {name} in {channel} is not as described:\n{problems(found, value)}"


def check_stream(target, event):
    """Compares an event of the stream at a path."""
    channel = next(channel for channel, pattern in STREAMS if pattern.search(target.split("?")[0]))
    own = {"end", "revoked"} & {event.type}
    name = own.pop() if own else "entry" if channel == "runEvents" else "event"
    if name in ("entry", "event") and "specversion" in event.data:
        name += "AsCloudEvent"
    headers = {"event": event.type} | ({} if event.id is None else {"id": event.id})
    check(channel, name, event.data, headers)


def check_webhook(payload, headers):
    """Compares a message to a connector; header names are in lower case."""
    kinds = {resolved(message, messages)["payload"]["allOf"][1]["properties"]["type"]["const"]: name
             for name, message in messages()["channels"]["webhooks"]["messages"].items()}
    assert payload["type"] in kinds, f"webhooks of type {payload['type']} are not described"
    check("webhooks", kinds[payload["type"]], payload, headers)
