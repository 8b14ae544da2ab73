"""Long responses are bounded: in memory, in number, and in what they take from others (invariants 11, 14 and 22)."""

import contextlib
import http.client
import json
import pathlib
import re
import socket
import sqlite3
import time

import pytest

from event_stream import EventStream
from waiting import eventually

AUTHORIZED = "Authorization: Bearer {}\r\nHost: x\r\n\r\n"
# A history of 8 MB: far more than the chunk, the connection's buffer and the kernel's that a client may leave unread.
POSTS, LINES, SIZE = 8, 100, 10_000


def long_run(sluice, posts=POSTS, lines=LINES, size=SIZE):
    """A run with a long history."""
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    content = b"".join(
        json.dumps({"type": "AGENT_MESSAGE", "data": {"message": f"{number} {'x' * size}"}}).encode() + b"\n"
        for number in range(lines))
    for _ in range(posts):
        added = api.post(f"/runs/{run}/events", content=content, headers={"Content-Type": "application/x-ndjson"})
        assert added.status == 201, added
    return run


def asked(stack, sluice, path, key=None):
    """A connection that has asked for something and reads nothing; its buffer is small."""
    connection = stack.enter_context(contextlib.closing(socket.socket()))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", sluice.port))
    key = key or sluice.client().headers["Authorization"].removeprefix("Bearer ")
    connection.sendall(f"GET {path} HTTP/1.1\r\n".encode() + AUTHORIZED.format(key).encode())
    return connection


def status(connection):
    """The status of a response that has begun; nothing of it is taken."""
    beginning = eventually(lambda: connection.recv(64, socket.MSG_PEEK), lambda content: b"\r\n" in content)
    return int(beginning.split()[1])


def response(connection):
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer


def settled_mib(sluice):
    """Resident memory once it no longer grows."""
    last = -1
    while (now := sluice.memory_mib("VmRSS")) > last:
        last = now
        time.sleep(1)
    return last


def socket_bytes(sluice):
    """What the kernel has taken from the daemon and not sent, for each of its connections."""
    port = f":{sluice.port:04X}"
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(line[4].split(":")[0], 16) for line in lines if line[1].endswith(port) and line[3] == "01"]


def test_a_list_that_is_not_read_costs_a_chunk_however_long_it_is(own_sluice):
    sluice = own_sluice(SLUICE_LISTS_MAX="400", SLUICE_PRINCIPAL_SHARE="100")
    path = f"/runs/{long_run(sluice)}/events"
    expected = sluice.client().get(path).content
    before = settled_mib(sluice)
    with contextlib.ExitStack() as stack:
        unread = [asked(stack, sluice, path) for _ in range(100)]
        assert {status(connection) for connection in unread} == {200}
        # A copy of each would be 800 MB, and a page of each, as it was read before, 100 MB of JSON beside its records.
        assert settled_mib(sluice) - before < 60
        assert max(socket_bytes(sluice)) < 512 * 1024
        # Nothing is lost by the wait.
        for connection in unread[::33]:
            assert response(connection).read() == expected


def test_chunks_are_neither_small_nor_large(own_sluice):
    sluice = own_sluice()
    path = f"/runs/{long_run(sluice, 2)}/events"
    with contextlib.ExitStack() as stack:
        connection = asked(stack, sluice, path)
        content = b""
        while not content.endswith(b"\r\n0\r\n\r\n"):
            content += connection.recv(1 << 20)
    body, sizes = content.split(b"\r\n\r\n", 1)[1], []
    while size := int(body.split(b"\r\n", 1)[0], 16):
        sizes.append(size)
        body = body[len(b"%x\r\n" % size) + size + 2:]
    assert max(sizes) <= 64 * 1024 and min(sizes[:-1]) >= 16 * 1024, sizes


@pytest.mark.parametrize("path", ["/runs/{}/events", "/runs/{}/audit/export", "/runs/{}/audit/export?format=ndjson"])
def test_one_keys_long_responses_leave_room_for_other_keys(own_sluice, path):
    sluice = own_sluice(SLUICE_LISTS_MAX="8")
    run = long_run(sluice)
    path, short = path.format(run), f"/runs/{run}/events?limit=3"
    key, other = sluice.key("viewer"), sluice.key("viewer")
    with contextlib.ExitStack() as stack:
        unread = [asked(stack, sluice, path, key) for _ in range(4)]
        assert {status(connection) for connection in unread} == {200}
        refused = sluice.client(key).get(path)
        assert (refused.status, refused.headers["sluice-error-code"]) == (429, "too_many_lists"), refused
        assert int(refused.headers["retry-after"]) > 0 and "share" in refused.error
        assert sluice.client(key).get(short).status == 200, "a short list needs no place"
        assert sluice.client(other).get(path).status == 200
        # A reader that goes away releases its place.
        unread[0].close()
        eventually(lambda: sluice.client(key).get(path).status, lambda found: found == 200)


def test_bytes_of_pages_that_are_not_read_are_bounded_for_each_key(own_sluice):
    sluice = own_sluice(SLUICE_RESPONSE_BYTES_MAX="4194304")
    api = sluice.client()
    for number in range(300):
        made = api.post("/runs", {"agent_id": "a", "user_id": "u" * 400, "conversation_id": "c" * 400})
        assert made.status == 201, made
    key, path = sluice.key("viewer"), "/runs?limit=1000"
    size = len(api.get(path).content)
    assert size > 200_000
    with contextlib.ExitStack() as stack:
        unread = []
        while status(connection := asked(stack, sluice, path, key)) == 200:
            unread.append(connection)
            assert len(unread) < 100
        refused = response(connection)
        assert (refused.status, refused.getheader("Sluice-Error-Code")) == (429, "too_many_requests")
        assert int(refused.getheader("Retry-After")) > 0 and "bytes in responses" in json.loads(refused.read())["error"]
        assert len(unread) >= 2
        whole = api.get(path)
        assert whole.status == 200 and int(whole.headers["content-length"]) == len(whole.content)
        assert response(unread[0]).read() == whole.content
        eventually(lambda: sluice.client(key).get(path).status, lambda found: found == 200)


def test_a_whole_list_breaks_off_when_its_key_is_revoked(own_sluice):
    sluice = own_sluice()
    path = f"/runs/{long_run(sluice, 8)}/events"
    made = sluice.client().post("/api/v1/auth/api-keys", {"name": "one", "role": "viewer"}).json
    with contextlib.ExitStack() as stack:
        connection = asked(stack, sluice, path, made["token"])
        answer = response(connection)
        assert answer.status == 200 and answer.read(10)
        assert sluice.client().delete(f"/api/v1/auth/api-keys/{made['key']['id']}").status in (200, 204)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()


def test_a_client_that_takes_nothing_of_a_list_is_cut_off_and_releases_its_place(own_sluice):
    sluice = own_sluice(SLUICE_LISTS_MAX="2", SLUICE_PRINCIPAL_SHARE="100", SLUICE_ANSWER_TIMEOUT="2s")
    path = f"/runs/{long_run(sluice)}/events"
    with contextlib.ExitStack() as stack:
        for connection in [asked(stack, sluice, path) for _ in range(2)]:
            assert status(connection) == 200
        eventually(lambda: sluice.client().get(path).status, lambda found: found == 200)


def test_a_list_that_matches_nothing_needs_a_place_after_its_first_page(own_sluice):
    sluice = own_sluice(SLUICE_LISTS_MAX="2", SLUICE_PRINCIPAL_SHARE="100")
    api, path = sluice.client(), f"/runs/{long_run(sluice)}/events"
    for _ in range(600):
        assert api.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    # A page examines 500 runs.
    query = "/runs?user_id=u&agent_id=rare"
    assert api.get(query).json == []
    with contextlib.ExitStack() as stack:
        unread = [asked(stack, sluice, path) for _ in range(2)]
        assert {status(connection) for connection in unread} == {200}
        refused = api.get(query)
        assert (refused.status, refused.headers["sluice-error-code"]) == (429, "too_many_lists"), refused
        assert api.get(query + "&limit=100").json == []


def test_a_list_that_meets_damage_is_no_whole_200(own_sluice):
    sluice = own_sluice()
    run = long_run(sluice)
    path, file = f"/runs/{run}/events", sluice.data / "read-model.sqlite"
    expected = sluice.client().get(path).content
    # All of it is in the file itself, and nothing of it in the memory of a reader.
    assert sluice.stop() == 0
    sluice.start()
    with contextlib.ExitStack() as stack:
        connection = asked(stack, sluice, path)
        assert status(connection) == 200
        with sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True) as database:
            [(pages,)] = database.execute("PRAGMA page_count").fetchall()
        with open(file, "r+b") as opened:
            for page in range(pages // 4, pages, 2):
                opened.seek(page * 4096)
                opened.write(b"\xa5" * 4096)
        try:
            found = response(connection).read()
        except (http.client.IncompleteRead, ConnectionError):
            found = None
        assert found in (None, expected), "a part passed for the whole"
        if found is None:
            assert "response broken off" in sluice.output.read_text()
    eventually(lambda: sluice.client().get(path).content, lambda content: content == expected)


def pages(api, path, limit):
    """The records of all pages of a list."""
    found, query = [], f"limit={limit}"
    while query:
        answer = api.get(f"{path}{'&' if '?' in path else '?'}{query}")
        found += answer.json
        link = re.search(r"cursor=(\d+)", answer.headers.get("link", ""))
        query = link and f"limit={limit}&cursor={link[1]}"
    return found


@pytest.mark.parametrize("query", ["", "sort=created_at", "sort=-user_id", "sort=agent_id", "agent_id=b"])
def test_a_whole_list_is_its_pages(own_sluice, query):
    sluice = own_sluice()
    api = sluice.client()
    for number in range(400):
        # Sizes from 1 byte to more than a chunk.
        message = "m" * (number * 37 % 900) if number % 50 else "m" * 100_000
        body = {"agent_id": "ab"[number % 2], "user_id": f"u{number % 7}", "initial_message": message or "m"}
        assert api.post("/runs", body).status == 201
    path = "/runs" + (f"?{query}" if query else "")
    whole = api.get(path)
    assert whole.json == pages(api, path, 70) and len(whole.json) in (200, 400)
    assert "content-length" not in whole.headers


def processor_seconds(sluice):
    fields = pathlib.Path(f"/proc/{sluice.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_streams_that_match_nothing_leave_the_processor_to_others(own_sluice):
    """O10"""
    sluice = own_sluice()
    # More than the events that are in memory.
    long_run(sluice, 20, 1000, 10)
    path = "/events/stream?after_seq=0&type=NOTHING_HAS_THIS_TYPE"
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(contextlib.closing(EventStream(sluice.client(), path)))
        begin, used = time.monotonic(), processor_seconds(sluice)
        api = sluice.client()
        run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
        while time.monotonic() < begin + 2:
            assert api.post(f"/runs/{run}/events", {"type": "AGENT_MESSAGE"}).status == 201
        share = (processor_seconds(sluice) - used) / (time.monotonic() - begin)
        assert share < 1.2, "all of them together use half of a core, and the posts some"
