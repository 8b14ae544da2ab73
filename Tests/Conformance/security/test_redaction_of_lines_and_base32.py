"""A credential that a tool echoes in base32, or broken over lines, is redacted; and no header puts one together."""

import base64
import re
import secrets

import pytest

from governed_agent import GovernedAgent, store_tool

KEY = "planted." + secrets.token_urlsafe(48)


def wrapped(width, line_break="\n", text="Bearer-token-of-the-call-" + KEY):
    return line_break.join(text[start:start + width] for start in range(0, len(text), width))


def base32(before, hexadecimal=False):
    encode = base64.b32hexencode if hexadecimal else base64.b32encode
    return encode(b"?" * before + KEY.encode() + b"!").decode()


SPELLINGS = (
    [base32(before) for before in range(5)] + [base32(before, True).lower() for before in range(5)]
    + [base32(3).rstrip("="), wrapped(64, text=base32(1))]
    + [wrapped(width, line_break) for width in (16, 20, 33, 64, 76) for line_break in ("\n", "\r\n", "=\r\n", "\\n", "\n ")])


def readable(text):
    """The parts of the key that a reader of the text could put together."""
    plain = text.replace("\\n", "").replace("=\r\n", "").translate({ord(each): None for each in "\r\n "})
    found = [KEY[start:start + 12] for start in range(len(KEY) - 12) if KEY[start:start + 12] in plain]
    for word in re.findall(r"[A-Za-z0-9]{20,}", plain):
        for decode in (base64.b32decode, base64.b32hexdecode):
            try:
                decoded = decode((word + "=" * (-len(word) % 8)).upper()).decode("latin-1")
            except ValueError:
                continue
            found += [KEY[start:start + 6] for start in range(len(KEY) - 6) if KEY[start:start + 6] in decoded]
    return found


@pytest.fixture(scope="module")
def world(sluice, server):
    store_tool(sluice, "echo-32", server.url, {"authentication": {"type": "APIKey", "apiKeyConfig": {
        "in": "Header", "name": "X-Key"}}}, credentials={"api_key": KEY})
    agent = GovernedAgent(sluice, "reader-32", [("allow", [], server.url + "/*")])
    return agent, agent.start(), server


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_whole_body_carries_no_credential(world, spelling):
    agent, run, server = world
    server.answer = lambda call: (200, [("Content-Type", "text/plain")], f"it was\n{spelling}\n\nindeed".encode())
    assert readable(spelling)
    text = agent.call(run, "GET", "echo-32", f"/{secrets.token_hex(4)}").content.decode()
    assert "REDACTED" in text and text.startswith("it was\n") and text.endswith("indeed") and not readable(text)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_no_stream_carries_a_credential_in_lines(world, size):
    agent, run, server = world
    whole = "".join(f"data: {spelling}\n\n" for spelling in SPELLINGS).encode()
    server.answer = lambda call: (200, [("Content-Type", "text/event-stream")], (
        whole[start:start + size] for start in range(0, len(whole), size)))
    text = agent.call(run, "GET", "echo-32", f"/{secrets.token_hex(4)}").content.decode()
    assert text.count("REDACTED") >= len(SPELLINGS) and not readable(text)


@pytest.mark.parametrize("mark", ['"', "'"])
def test_no_refresh_puts_a_parted_credential_together(world, mark):
    """Quotation marks that part a credential stay in the reference that a header names."""
    agent, run, server = world
    parted = KEY[:20] + mark + KEY[20:]
    for value in (f"0; url={parted}", f"0; url={mark}{parted}", f"0; url=/a?k={parted}"):
        server.answer = lambda call: (200, [("Refresh", value)], b"")
        answer = agent.call(run, "GET", "echo-32", f"/{secrets.token_hex(4)}")
        assert answer.status == 200 and KEY not in str(answer.headers)
    server.answer = lambda call: (200, [("Refresh", f"5; url={mark}/next?a=1{mark}")], b"")
    refresh, = agent.call(run, "GET", "echo-32", f"/{secrets.token_hex(4)}").header("refresh")
    assert refresh == f"5; url=/as/{agent.token}/egress/echo-32/next?a=1"
