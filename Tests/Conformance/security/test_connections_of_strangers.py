"""Connections without a key, and those of one key, leave room for others' requests (G18, G20, invariant 22)."""

import contextlib
import http.client
import socket
import threading

import pytest

from raw_requests import AUTHORIZED
from sluice_process import ADMIN_KEY
from waiting import eventually

CONNECTIONS_MAX = 64


@pytest.fixture
def limited(own_sluice):
    return lambda **settings: own_sluice(SLUICE_CONNECTIONS_MAX=str(CONNECTIONS_MAX), **settings)


def connect(sluice, content=b""):
    connection = socket.create_connection(("127.0.0.1", sluice.port), timeout=30)
    connection.sendall(content)
    return connection


def keep_alive(stack, sluice, key, path="/runs?limit=1"):
    connection = stack.enter_context(contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)))
    return connection if ask(connection, key, path) == 200 else None


def ask(connection, key, path="/runs?limit=1"):
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    response = connection.getresponse()
    response.read()
    return response.status


def is_open(connection):
    """True for a socket that its peer has not closed; what it sent is dropped."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


HALF = {
    "nothing": b"", "half a head": b"GET /runs HTTP/1.1\r\nHost: x\r\n",
    "a wrong key": b"GET /runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong-key-000000000000\r\n\r\n",
    "a body without end": b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
    "an open route": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("kind", HALF)
def test_a_request_with_a_key_gets_in_beside_any_number_of_strangers(limited, kind):
    sluice = limited()
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(connect(sluice, HALF[kind])) for _ in range(4 * CONNECTIONS_MAX)]
        kept = keep_alive(stack, sluice, ADMIN_KEY)
        assert kept is not None
        strangers += [stack.enter_context(connect(sluice, HALF[kind])) for _ in range(4 * CONNECTIONS_MAX)]
        # A connection on which a key was valid stays, though it is idle.
        assert ask(kept, ADMIN_KEY) == 200
        left = eventually(
            lambda: sum(is_open(each) for each in strangers), lambda count: count <= CONNECTIONS_MAX)
        assert left > 0
        metrics = sluice.client().get("/metrics").content.decode()
        assert float(metrics.split("\nsluice_connections_evicted_total ")[1].split()[0]) >= 7 * CONNECTIONS_MAX


def test_strangers_of_one_address_close_no_connection_of_another(limited):
    sluice = limited()
    with contextlib.ExitStack() as stack:
        quiet = stack.enter_context(
            socket.create_connection(("127.0.0.1", sluice.port), timeout=30, source_address=("127.0.0.2", 0)))
        strangers = [stack.enter_context(connect(sluice)) for _ in range(4 * CONNECTIONS_MAX)]
        eventually(lambda: sum(is_open(each) for each in strangers), lambda count: count <= CONNECTIONS_MAX)
        quiet.sendall(HALF["an open route"])
        assert quiet.recv(12) == b"HTTP/1.1 200"


def test_strangers_who_come_again_at_once_shut_nobody_out(limited):
    sluice = limited()
    is_over = threading.Event()

    def renew():
        opened = []
        while not is_over.is_set():
            opened = [each for each in opened if is_open(each) or each.close()]
            with contextlib.suppress(OSError):
                opened += [connect(sluice) for _ in range(2 * CONNECTIONS_MAX - len(opened))]
        for each in opened:
            each.close()

    stranger = threading.Thread(target=renew)
    stranger.start()
    try:
        with contextlib.ExitStack() as stack:
            kept = eventually(lambda: keep_alive(stack, sluice, ADMIN_KEY), lambda connection: connection is not None)
            assert [ask(kept, ADMIN_KEY) for _ in range(500)] == [200] * 500
    finally:
        is_over.set()
        stranger.join()


def test_one_key_keeps_no_more_idle_connections_than_its_share(limited):
    sluice = limited()
    viewer = sluice.key("viewer")
    with contextlib.ExitStack() as stack:
        kept = [keep_alive(stack, sluice, viewer) for _ in range(2 * CONNECTIONS_MAX)]
        assert None not in kept
        # Its oldest ones went, one for each that it has too many.
        left = eventually(
            lambda: [is_open(each.sock) for each in kept], lambda states: sum(states) <= CONNECTIONS_MAX // 2)
        assert left[-1] and not left[0] and left == sorted(left)
        assert keep_alive(stack, sluice, ADMIN_KEY) is not None


def test_idle_connections_of_one_key_make_room_for_other_keys(limited):
    sluice = limited(SLUICE_PRINCIPAL_SHARE="100")
    viewer = sluice.key("viewer")
    with contextlib.ExitStack() as stack:
        assert None not in [keep_alive(stack, sluice, viewer) for _ in range(2 * CONNECTIONS_MAX)]
        kept = keep_alive(stack, sluice, ADMIN_KEY)
        assert None not in [keep_alive(stack, sluice, viewer) for _ in range(2 * CONNECTIONS_MAX)]
        assert ask(kept, ADMIN_KEY) == 200


def test_a_request_in_flight_is_cut_off_for_no_other(limited):
    sluice = limited()
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(connect(
            sluice, b"GET /events/stream?after_seq=0 HTTP/1.1\r\n" + AUTHORIZED + b"\r\n"))
        assert stream.recv(12) == b"HTTP/1.1 200"
        strangers = [stack.enter_context(connect(sluice)) for _ in range(4 * CONNECTIONS_MAX)]
        eventually(lambda: sum(is_open(each) for each in strangers), lambda count: count <= CONNECTIONS_MAX)
        run = sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
        stream.setblocking(True)
        received = b""
        while run.encode() not in received:
            part = stream.recv(65_536)
            assert part, received
            received += part


@pytest.mark.parametrize("content", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_without_a_whole_request_head_is_closed_after_its_deadline(limited, content):
    sluice = limited(SLUICE_HEAD_TIMEOUT="300ms", SLUICE_IDLE_TIMEOUT="1h")
    with connect(sluice, content) as connection, contextlib.ExitStack() as stack:
        kept = keep_alive(stack, sluice, None, "/healthz")
        assert connection.recv(1) == b""
        # The deadline is for the first head alone.
        assert ask(kept, None, "/healthz") == 200
