"""Bytes that are no HTTP request get an answer of the same form as every other refusal (G29)."""

import contextlib
import json
import socket

import pytest

from raw_requests import AUTHORIZED

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
MALFORMED = {
    "no version": b"GET /\r\n\r\n", "another version": b"GET / HTTP/9.9\r\n\r\n",
    "a length that is no number": b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    "two lengths": b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a header without a colon": b"GET /runs HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
}
TLS_HELLO = b"\x16\x03\x01\r\n\r\n"
# What the answer says, too: its status, its code, and a part of its error.
OTHERWISE_MALFORMED = {
    "a TLS hello": (TLS_HELLO, 405, "method_not_allowed", "without TLS"),
    "a large header": (
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 40_000 + b"\r\n\r\n", 431, "fields_too_large", "32 KiB"),
    "a long target": (
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "fields_too_large", "32 KiB"),
}


def answers(sluice, content):
    """The status, headers and body of each answer, until the server ends the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(content)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                received += part
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers["content-length"])
        found.append((int(status.split()[1]), headers, received[:length]))
        received = received[length:]
    return found


@pytest.mark.parametrize("content, status, code, words", [
    *((content, 400, "bad_request", "check") for content in MALFORMED.values()), *OTHERWISE_MALFORMED.values(),
], ids=[*MALFORMED, *OTHERWISE_MALFORMED])
def test_it_is_refused_in_json_and_the_connection_ends(sluice, content, status, code, words):
    (answered, headers, body), = answers(sluice, content)
    assert answered == status
    assert headers["content-type"] == "application/json" and headers["x-content-type-options"] == "nosniff"
    assert headers["connection"] == "close" and headers["sluice-error-code"] == code
    assert words in json.loads(body)["error"]


def test_it_is_refused_so_behind_a_request_that_was_answered_too(sluice):
    first, second = answers(sluice, HEALTH + TLS_HELLO)
    assert first[0] == 200
    assert second[0] == 405 and json.loads(second[2])["error"]


def test_a_refusal_of_a_route_stays_its_own(sluice):
    body = b'{"agent_id": 7}'
    (status, headers, content), = answers(
        sluice, b"POST /runs HTTP/1.1\r\n%sConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (AUTHORIZED, len(body), body))
    assert status == 400 and "agent_id" in json.loads(content)["error"]
    assert headers["content-type"] == "application/json"
