"""Overload and slow clients: memory stays bounded, answers stay honest, and nobody is harmed by somebody else."""

import asyncio
import concurrent.futures
import contextlib
import ctypes
import http.client
import itertools
import json
import select
import socket
import struct
import threading
import time

import pytest

from event_stream import EventStream
from raw_requests import AUTHORIZED, event_request, read_answer
from sluice_process import SluiceProcess

# Thousands of connections with deadlines: neither is this to be disturbed by other tests, nor are they by this.
pytestmark = pytest.mark.alone

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

# What a slow client sends at once, and what it sends a byte of now and then.
SLOW = {
    "nothing": (b"", b""),
    "a request line": (b"GET /run", b"s"),
    "a header": (b"GET /runs HTTP/1.1\r\nX-Slow: ", b"a"),
    "the next request's header": (HEALTH + b"GET /runs HTTP/1.1\r\nX-Slow: ", b"a"),
    "a body": (b"POST /runs HTTP/1.1\r\n" + AUTHORIZED + b"Content-Length: 1000000\r\n\r\n", b" "),
    "a body that is refused already": (b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b" "),
}
SLOW_EACH = 60
TIMEOUT_SECONDS = 15
# As much again as a busy machine may need to notice.
CUT_OFF_SECONDS_MAX = TIMEOUT_SECONDS + 30


def connect(sluice, content=b"", is_stalled=False):
    """A connection that has sent `content`; a stalled one's buffers are as small as a real network's, not 4 MB."""
    connection = socket.socket()
    if is_stalled:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", sluice.port))
    connection.sendall(content)
    return connection


def lose_peer(connection):
    """From now on nothing that is sent to this end arrives, or is ever acknowledged: the connection is half open."""
    drop = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))
    so_attach_filter = 26
    connection.setsockopt(socket.SOL_SOCKET, so_attach_filter, struct.pack("@HP", 1, ctypes.addressof(drop)))


def stream_request(path):
    return f"GET {path} HTTP/1.1\r\n".encode() + AUTHORIZED + b"\r\n"


def read_to_end(connection):
    """What comes before the server closes; a connection that was reset has said nothing more."""
    content = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while chunk := connection.recv(65536):
            content += chunk
    return content


def stream_events(connection):
    """The id and the text of each event of a stream that was asked for."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    for line in response:
        if line.startswith(b"id: "):
            response.readline()
            yield int(line[4:]), response.readline()


def peak_mib(sluice):
    return sluice.memory_mib("VmHWM")


def new_run(api):
    return api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]


def say(api, run, message):
    answer = api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": message}})
    assert answer.status == 201, answer
    return answer.json


@pytest.fixture(scope="module")
def slow_clients(tmp_path_factory):
    """Hundreds of connections that never finish what they have begun, from now until the last test has looked."""
    timeout = f"{TIMEOUT_SECONDS}s"
    settings = {"SLUICE_IDLE_TIMEOUT": timeout, "SLUICE_BODY_TIMEOUT": timeout}
    sluice = SluiceProcess(tmp_path_factory.mktemp("slow"), settings).start()
    stopped = threading.Event()
    with contextlib.ExitStack() as stack:
        connections = {
            kind: [stack.enter_context(connect(sluice, first)) for _ in range(SLOW_EACH)]
            for kind, (first, _) in SLOW.items()}

        def drip():
            while not stopped.wait(2):
                for kind, connection in ((kind, each) for kind in SLOW for each in connections[kind]):
                    with contextlib.suppress(OSError):
                        connection.send(SLOW[kind][1])

        dripping = threading.Thread(target=drip)
        dripping.start()
        yield sluice, connections, time.monotonic() + CUT_OFF_SECONDS_MAX
        stopped.set()
        dripping.join()
    assert sluice.stop() == 0


def test_requests_are_served_beside_hundreds_of_connections_that_do_not_finish_theirs(slow_clients):
    sluice, _, _ = slow_clients
    api = sluice.client()
    run = new_run(api)
    said = [say(api, run, str(number)) for number in range(20)]
    assert [event["event_id"] for event in api.get(f"/runs/{run}/events").json] == [each["event_id"] for each in said]


def test_every_answer_under_overload_is_a_receipt_or_tells_when_to_come_back(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    runs = [new_run(api) for _ in range(4)]

    async def write(number):
        """Sends everything at once, and returns status, headers and body of each answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", sluice.port)
        messages = [f"{number}.{each} {'x' * 500}" for each in range(12)]
        writer.write(b"".join(event_request(runs[number % 4], message) for message in messages))
        answers = []
        for _ in messages:
            answers.append(await read_answer(reader))
        writer.close()
        return answers

    async def write_all():
        return await asyncio.gather(*(write(number) for number in range(400)))

    answers = list(itertools.chain.from_iterable(asyncio.run(write_all())))
    assert len(answers) == 400 * 12
    for status, headers, body in answers:
        assert status == 201 or status in (429, 503) and int(headers["retry-after"]) > 0, (status, headers, body)
    recorded = [api.get(f"/runs/{run}/events").json for run in runs]
    for events in recorded:
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    # What is acknowledged is there, once, and what is refused is not.
    assert sorted(body["event_id"] for status, _, body in answers if status == 201) == sorted(
        event["event_id"] for event in itertools.chain.from_iterable(recorded))


def test_what_is_offered_faster_than_it_can_be_taken_waits_with_its_sender(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    run, flooded = new_run(api), new_run(api)
    flood = event_request(flooded, "x" * 16_000) * 256
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(sluice)) for _ in range(250)]
        sent = dict.fromkeys(connections, 0)
        for number in range(3):
            for connection in select.select([], connections, [], 0)[1]:
                with contextlib.suppress(BlockingIOError):
                    sent[connection] += connection.send(flood[sent[connection]:], socket.MSG_DONTWAIT)
            say(api, run, str(number))
        assert [event["seq"] for event in api.get(f"/runs/{run}/events").json] == list(range(1, 4))
        # 1 GB is there to be taken, and a server that queues what comes would have taken it. One that takes a request a
        # connection needed 130 to 170 MiB: itself, what one read of each socket brings, and the newest events.
        assert peak_mib(sluice) < 400


def test_connections_that_have_sent_large_bodies_keep_little_of_them(own_sluice):
    sluice = own_sluice()
    # Of no use as JSON, so that nothing of it is kept for anybody.
    large = b"POST /runs HTTP/1.1\r\n%sContent-Length: 60000\r\n\r\n%s" % (AUTHORIZED, b" " * 60_000)
    before = sluice.memory_mib("VmRSS")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(sluice)) for _ in range(1000)]
        for connection in connections * 2:
            connection.sendall(large)
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 400 and response.read()
        # 70 to 81 MiB; 124 when each connection kept what reading took.
        assert sluice.memory_mib("VmRSS") - before < 100


def test_connections_beyond_the_limit_take_the_places_of_idle_ones(own_sluice):
    sluice = own_sluice(SLUICE_CONNECTIONS_MAX="8", SLUICE_PRINCIPAL_SHARE="100")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            served = stack.enter_context(contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)))
            served.request("GET", "/healthz")
            response = served.getresponse()
            assert response.status == 200 and response.read()


def test_a_connection_beyond_the_limit_waits_while_all_others_have_requests_in_flight(own_sluice):
    sluice = own_sluice(SLUICE_CONNECTIONS_MAX="8", SLUICE_PRINCIPAL_SHARE="100")
    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(8):
            streams.append(connect(sluice, stream_request("/events/stream?after_seq=0")))
            assert streams[-1].recv(12) == b"HTTP/1.1 200"
        waiting = stack.enter_context(connect(sluice, HEALTH))
        assert select.select([waiting], [], [], 0.1)[0] == []
        for stream in streams:
            stream.close()
        assert waiting.recv(12) == b"HTTP/1.1 200"


def test_a_thousand_streams_that_nobody_reads_cost_the_others_nothing_and_miss_nothing(own_sluice):
    sluice = own_sluice(SLUICE_PRINCIPAL_SHARE="100")
    api = sluice.client()
    run = new_run(api)
    # On each path 250 are never read, ten are read slowly, and of 240 the client is gone without a word.
    paths = log_path, run_path = "/events/stream?after_seq=0", f"/runs/{run}/events/stream"
    with contextlib.ExitStack() as stack:
        stalled = {path: [stack.enter_context(connect(sluice, stream_request(path), is_stalled=True))
                          for _ in range(260)] for path in paths}
        gone = [stack.enter_context(connect(sluice, stream_request(path))) for path in paths for _ in range(240)]
        for connection in itertools.chain(gone, *stalled.values()):
            connection.recv(1, socket.MSG_PEEK)
        for connection in gone:
            lose_peer(connection)
        slow = {path: [stream_events(connection) for connection in stalled[path][:10]] for path in paths}
        slowly_read = {path: [[] for _ in slow[path]] for path in paths}
        healthy = stack.enter_context(contextlib.closing(EventStream(api, log_path)))
        seen = healthy.take(2)
        with concurrent.futures.ThreadPoolExecutor(8) as writers:
            said = writers.map(lambda number: say(api, run, f"{number} {'x' * 4000}"), range(1200))
            for _ in range(12):
                seen += healthy.take(100)
                for path in paths:
                    for stream, read in zip(slow[path], slowly_read[path]):
                        read.append(next(stream))
            said = list(said)
        assert [event.id for event in seen] == list(range(1, 1203))
        assert sorted(event.data["id"] for event in seen[2:]) == sorted(each["event_id"] for each in said)
        # Each of 1,000 was to be sent 5 MB: with a queue for each, 1200 references of even 400 bytes would be 288 MB more
        # than the 200 MiB that a cursor and a part of one batch for each needed; whole batches as text were 200 more.
        assert peak_mib(sluice) < 300
        for connection in gone:
            assert len(connection.recv(1 << 20, socket.MSG_DONTWAIT)) < 4000, "its client was to be gone"

        whole = {log_path: [(event.id, event.data) for event in seen], run_path: list(
            zip(range(3, 1203), api.get(f"/runs/{run}/events").json))}
        for path in paths:
            for stream, read in [(slow[path][0], slowly_read[path][0]), (stream_events(stalled[path][-1]), [])]:
                read += itertools.islice(stream, len(whole[path]) - len(read))
                assert [(position, json.loads(text.removeprefix(b"data: "))) for position, text in read] == whole[path]


def test_a_stream_that_nobody_reads_keeps_its_place_until_it_is_closed(own_sluice):
    sluice = own_sluice(SLUICE_STREAMS_MAX="3", SLUICE_PRINCIPAL_SHARE="100")
    api = sluice.client()
    run = new_run(api)
    for number in range(60):
        say(api, run, "x" * 16_000)
    path = f"/runs/{run}/events/stream"
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(connect(sluice, stream_request(path), is_stalled=True)) for _ in range(3)]
        for connection in stalled:
            connection.recv(1, socket.MSG_PEEK)
        refused = api.get(path)
        assert (refused.status, refused.headers["sluice-error-code"]) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        assert api.get(f"/runs/{run}/events?limit=1").status == 200
        stalled[0].close()
        tried = (api.request("HEAD", path).status for _ in range(10_000))
        assert next(status for status in tried if status != 429) == 200
        assert [event.data["seq"] for event in EventStream(api, path).take(60)] == list(range(1, 61))


@pytest.mark.parametrize("kind", ["answers", "a stream"])
def test_a_client_that_reads_nothing_is_cut_off_and_one_that_reads_slowly_is_not(own_sluice, kind):
    # Places for two: those of the one that reads nothing and the one that reads slowly.
    sluice = own_sluice(SLUICE_ANSWER_TIMEOUT="3s", SLUICE_CONNECTIONS_MAX="2", SLUICE_PRINCIPAL_SHARE="100")
    api = sluice.client()
    run = new_run(api)
    # Small entries: what is written to a client at a time is some dozens of them, and has to be taken in time.
    total = 2_000 * 2_000
    lines = b"".join(b'{"type": "AGENT_MESSAGE", "data": {"message": "%s"}}\n' % (b"x" * 2_000) for _ in range(200))
    for _ in range(10):
        added = api.post(f"/runs/{run}/events", content=lines, headers={"Content-Type": "application/x-ndjson"})
        assert added.status == 201
    path = f"/runs/{run}/events"
    content = stream_request(path + "/stream") if kind == "a stream" else stream_request(path) * 4
    with contextlib.ExitStack() as stack:
        # Each has its place once its request is authenticated.
        stack.enter_context(connect(sluice, content, is_stalled=True)).recv(1, socket.MSG_PEEK)
        slow = stack.enter_context(connect(sluice, content, is_stalled=True))
        slow.recv(1, socket.MSG_PEEK)
        waiting = stack.enter_context(connect(sluice, HEALTH))
        received = 0
        while not select.select([waiting], [], [], 0.1)[0]:
            received += len(slow.recv(65_536))
        assert waiting.recv(12) == b"HTTP/1.1 200"
        while received < total:
            part = slow.recv(65_536)
            assert part, f"cut off after {received} of {total} bytes"
            received += len(part)


LARGE_HEADS = {
    "a header field over 32 KiB": (b"", b"X-Large: " + b"a" * 33 * 1024 + b"\r\n"),
    "more than 100 header fields": (b"", b"".join(b"X-%d: a\r\n" % number for number in range(101))),
    "a header list over 64 KiB": (b"", b"".join(b"X-%d: %s\r\n" % (each, b"a" * 15 * 1024) for each in range(5))),
    "a request line of 1 MiB": (b"a" * 1024 * 1024, b""),
}


@pytest.mark.parametrize("kind", LARGE_HEADS)
def test_a_head_over_its_bounds_is_refused(sluice, api, kind):
    query, headers = LARGE_HEADS[kind]
    with connect(sluice) as connection:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(b"GET /runs?a=%s HTTP/1.1\r\n%s%s\r\n" % (query, AUTHORIZED, headers))
        answer = read_to_end(connection)
    assert answer == b"" or answer.split()[1] in (b"400", b"414", b"431"), answer[:200]
    assert api.get("/runs").status == 200


ENDLESS_HEADS = {
    "a request line": (b"GET /runs?a=", b"a"), "a header": (HEALTH[:-2] + b"X-Large: ", b"a"),
    "many headers": (HEALTH[:-2], b"X-Large: a\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS_HEADS)
def test_a_head_without_end_is_refused(sluice, api, kind):
    begin, piece = ENDLESS_HEADS[kind]
    with connect(sluice, begin) as connection:
        for _ in range(1024):
            readable, _, _ = select.select([connection], [connection], [], 30)
            if readable:
                break
            connection.send(piece * (65536 // len(piece)))
        answer = read_to_end(connection)
    assert answer == b"" or answer.split()[1] in (b"400", b"414", b"431"), answer[:200]
    assert api.get("/runs").status == 200


def test_a_key_over_its_rate_writes_nothing_and_costs_no_other_key(own_sluice):
    sluice = own_sluice(SLUICE_RATE_LIMIT="1", SLUICE_RATE_BURST="5")
    api = sluice.client()
    run = new_run(api)
    operator, other = (sluice.client(sluice.key("operator")) for _ in range(2))
    answers = [
        operator.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"n": number}}) for number in range(40)]
    refused = [answer for answer in answers if answer.status != 201]
    assert refused and refused[0] not in answers[:5]
    for answer in refused:
        assert (answer.status, answer.headers["sluice-error-code"]) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 0
    assert other.get("/runs").status == 200
    assert [api.get("/runs").status for _ in range(20)] == [200] * 20
    written = [answer.json["event_id"] for answer in answers if answer.status == 201]
    assert [event["event_id"] for event in api.get(f"/runs/{run}/events").json] == written


def test_bodies_that_are_being_read_have_a_bound_for_all_of_them_together(own_sluice):
    sluice = own_sluice(SLUICE_PRINCIPAL_SHARE="100")
    api = sluice.client()
    path = f"/runs/{new_run(api)}/checkpoint".encode()
    size = 4 * 1024 * 1024
    head = b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (path, AUTHORIZED, size)
    with contextlib.ExitStack() as stack:
        connections, refused = [], []
        while not refused:
            assert len(connections) <= 64, "more than 256 MiB of bodies are being read"
            connections.append(stack.enter_context(connect(sluice, head)))
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                connections[-1].sendall(b" " * (size - 1))
            assert api.get("/runs").status == 200
            # The request above can be answered before the bytes of the body that is over the bound have been read.
            refused = select.select(connections, [], [], 0 if len(connections) <= 64 else 30)[0]
        assert len(connections) > 60
        answer = refused[0].recv(4096)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: 1\r\n" in answer.lower(), answer
    # Whoever leaves frees what was kept for the body.
    tried = (api.post("/runs", {"agent_id": "a", "user_id": "u"}).status for _ in range(10_000))
    assert next(status for status in tried if status != 503) == 201


def test_a_body_that_waits_behind_earlier_requests_is_not_its_senders_delay(own_sluice):
    sluice = own_sluice(SLUICE_BODY_TIMEOUT="500ms")
    run = new_run(sluice.client())
    requests = event_request(run, "x" * 16_000) * 60

    async def write():
        reader, writer = await asyncio.open_connection("127.0.0.1", sluice.port)
        writer.write(requests)
        for _ in range(60):
            status, _, body = await read_answer(reader)
            assert status == 201, body
        writer.close()

    async def write_all():
        await asyncio.gather(*(write() for _ in range(30)))

    asyncio.run(write_all())


def test_a_stop_is_not_held_up_by_clients_that_neither_read_nor_finish(own_sluice):
    sluice = own_sluice(SLUICE_DRAIN_TIMEOUT="1s")
    api = sluice.client()
    run = new_run(api)
    for number in range(60):
        say(api, run, "x" * 16_000)
    requests = [
        stream_request(f"/runs/{run}/events/stream"), stream_request("/events/stream?after_seq=0"),
        stream_request(f"/runs/{run}/events"), HEALTH * 1000, HEALTH + SLOW["a body"][0]]
    with contextlib.ExitStack() as stack:
        for request in requests:
            stack.enter_context(connect(sluice, request, is_stalled=True)).recv(1, socket.MSG_PEEK)
        sluice.process.terminate()
        assert sluice.process.wait(timeout=30) == 0


@pytest.mark.parametrize("kind", SLOW)
def test_a_connection_that_does_not_finish_its_request_is_cut_off(slow_clients, kind):
    _, connections, deadline = slow_clients
    for connection in connections[kind]:
        connection.settimeout(max(deadline - time.monotonic(), 0.1))
        read_to_end(connection)
