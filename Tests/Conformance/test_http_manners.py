"""HTTP as RFC 9110 and 9112 have it, on raw sockets: large bodies, HTTP/1.0, 100-continue, HEAD, and IPv6."""

import json
import socket

import pytest

from http_client import HTTPClient
from sluice_process import ADMIN_KEY, SluiceProcess
from waiting import until_true

KEY = f"Authorization: Bearer {ADMIN_KEY}\r\n".encode()
LARGE = 12 * 1024 * 1024


def connected(sluice):
    return socket.create_connection(("127.0.0.1", sluice.port), timeout=30)


def read_all(connection):
    """Everything up to the end that the server gives it."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def received(connection):
    part = connection.recv(65536)
    assert part, "the server ended the connection"
    return part


def read_head(connection):
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += received(connection)
    head, rest = answer.split(b"\r\n\r\n", 1)
    return head, rest


def fields(head):
    lines = [line.split(b":", 1) for line in head.split(b"\r\n")[1:]]
    return {name.decode().lower(): value.strip().decode() for name, value in lines}


@pytest.fixture(scope="module")
def agent_key(sluice):
    return sluice.client().post(
        "/api/v1/auth/api-keys", {"name": "large", "role": "agent", "agent": "large"}).json["token"]


LIMITED = [
    ("POST", "/runs"), ("POST", "/api/v1/deploy"), ("POST", "/v1/chat/completions"), ("POST", "/api/policies"),
    ("POST", "/runs/0192f0c1-2d3e-7abc-8def-0123456789ab/checkpoint"),
    ("POST", "/as/{key}/egress/some-tool/x"), ("PUT", "/api/policies/p"),
    ("PATCH", "/runs/0192f0c1-2d3e-7abc-8def-0123456789ab"),
]


@pytest.mark.parametrize("connection", [b"Connection: close\r\n", b"Connection: Close, TE\r\n", b""])
@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("method, path", LIMITED)
def test_a_client_that_sends_all_of_a_body_that_is_too_large_reads_413(
        sluice, agent_key, method, path, is_chunked, connection):
    path = path.format(key=agent_key)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode() + KEY + connection
    with connected(sluice) as client:
        if is_chunked:
            client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(LARGE // 65536):
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            client.sendall(b"0\r\n\r\n")
        else:
            client.sendall(head + b"Content-Length: %d\r\n\r\n" % LARGE)
            client.sendall(b"x" * LARGE)
        answer, body = read_head(client)
        assert answer.startswith(b"HTTP/1.1 413"), answer
        while len(body) < int(fields(answer)["content-length"]):
            body += received(client)
        assert "larger than" in str(json.loads(body)["error"])
        if connection:
            assert fields(answer)["connection"] == "close" and client.recv(1) == b""
        else:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_head(client)[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path, status", [("/runs", 401), ("/nowhere", 401), ("/healthz", 405)])
def test_other_early_refusals_reach_closing_clients_too(sluice, path, status):
    with connected(sluice) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {LARGE}\r\n\r\n".encode())
        client.sendall(b"x" * LARGE)
        assert read_all(client).startswith(f"HTTP/1.1 {status}".encode())


def test_a_body_without_end_is_not_read_for_ever(own_sluice):
    sluice = own_sluice()
    with connected(sluice) as client:
        client.sendall(b"POST /runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with pytest.raises(OSError):
            while sent < 1024 * 1024 * 1024:
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        assert sent < 256 * 1024 * 1024


# HTTP/1.0

def test_a_client_of_http_1_0_gets_a_whole_answer_and_the_end_of_the_connection(sluice):
    with connected(sluice) as client:
        client.sendall(b"GET /runs HTTP/1.0\r\n" + KEY + b"\r\n")
        head, body = read_all(client).split(b"\r\n\r\n", 1)
        assert head.split(b"\r\n")[0].split()[1] == b"200"
        assert "transfer-encoding" not in fields(head) and fields(head)["connection"] == "close"
        json.loads(body)


@pytest.mark.parametrize("path, mark", [("/events/stream", b"COMPLETED"), ("/runs/{run}/events/stream", b"event: end")])
def test_a_stream_for_http_1_0_is_not_chunked(sluice, api, run, path, mark):
    with connected(sluice) as client:
        client.sendall(f"GET {path.format(run=run['id'])} HTTP/1.0\r\n".encode() + KEY + b"\r\n")
        head, rest = read_head(client)
        assert "transfer-encoding" not in fields(head) and "content-length" not in fields(head)
        while not rest.startswith(b": open\n\n"):
            rest += received(client)
        api.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
        while mark not in rest:
            rest += received(client)
        assert b"\r\n" not in rest


def test_a_stream_for_http_1_0_ends_with_its_connection(sluice, api, run):
    api.patch(f"/runs/{run['id']}", {"status": "COMPLETED"})
    with connected(sluice) as client:
        client.sendall(f"GET /runs/{run['id']}/events/stream HTTP/1.0\r\nConnection: keep-alive\r\n".encode() + KEY + b"\r\n")
        assert read_all(client).endswith(b"event: end\ndata: {}\n\n")


def test_errors_for_http_1_0_close_too(sluice):
    for request in (b"GET /runs HTTP/1.0\r\n\r\n", b"GET /nowhere HTTP/1.0\r\n" + KEY + b"\r\n",
                    b"POST /runs HTTP/1.0\r\n" + KEY + b"Content-Length: 1\r\n\r\n{"):
        with connected(sluice) as client:
            client.sendall(request)
            head, body = read_all(client).split(b"\r\n\r\n", 1)
            assert head.split()[1][:1] == b"4" and json.loads(body)["error"]


# 100-continue

def expecting(path, body, more=b"", method="POST"):
    return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n".encode()
            + more + b"\r\n")


@pytest.mark.parametrize("expect", [b"Expect: 100-continue\r\n", b"expect: 100-Continue\r\n"])
def test_a_client_that_waits_for_100_gets_it_and_then_the_answer(sluice, expect):
    body = b'{"agent_id": "a", "user_id": "u"}'
    with connected(sluice) as client:
        client.sendall(b"POST /runs HTTP/1.1\r\nHost: x\r\n" + expect + KEY + b"Content-Length: %d\r\n\r\n" % len(body))
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 100") and rest == b""
        client.sendall(body)
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 201")
        while len(rest) < int(fields(head)["content-length"]):
            rest += received(client)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_head(client)[0].startswith(b"HTTP/1.1 200"), "the connection stays open"


@pytest.mark.parametrize("path, more, length, status", [
    ("/runs", KEY, LARGE, 413), ("/runs", b"", 10, 401), ("/nowhere", KEY, 10, 404), ("/healthz", b"", 10, 405)])
def test_a_client_that_waits_for_100_gets_the_refusal_without_sending(sluice, path, more, length, status):
    with connected(sluice) as client:
        client.sendall(expecting(path, b"x" * length, more))
        answer = read_all(client)
        assert answer.startswith(f"HTTP/1.1 {status}".encode()), answer
        assert fields(answer.split(b"\r\n\r\n")[0])["connection"] == "close"


def test_a_client_that_does_not_wait_gets_one_answer(sluice):
    body = b'{"agent_id": "a", "user_id": "u"}'
    with connected(sluice) as client:
        client.sendall(expecting("/runs", body, KEY + b"Connection: close\r\n") + body)
        answer = read_all(client)
        assert answer.startswith((b"HTTP/1.1 201", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201"))


def test_a_client_of_http_1_0_gets_no_interim_response(sluice):
    body = b'{"agent_id": "a", "user_id": "u"}'
    with connected(sluice) as client:
        client.sendall(b"POST /runs HTTP/1.0\r\nExpect: 100-continue\r\n" + KEY
                       + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert read_all(client).split()[1] == b"201"


# HEAD

@pytest.mark.parametrize("path", ["/runs", "/healthz", "/docs", "/openapi.json", "/nowhere", "/events/stream"])
def test_head_is_the_head_of_get_and_nothing_more(sluice, path):
    with connected(sluice) as client:
        client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n".encode() + KEY + b"\r\n")
        head, rest = read_head(client)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        rest += read_all(client)
        assert rest.startswith(b"HTTP/1.1 200"), (head, rest)
        if path == "/events/stream":
            assert "content-length" not in fields(head)
    if path in ("/docs", "/openapi.json"):
        with connected(sluice) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert fields(read_head(client)[0])["content-length"] == fields(head)["content-length"]


def test_pipelined_requests_are_answered_in_order(sluice):
    with connected(sluice) as client:
        client.sendall(b"".join(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode() for method, path, more in [
                ("GET", "/healthz", ""), ("HEAD", "/healthz", ""), ("GET", "/nowhere", ""),
                ("GET", "/readyz", "Connection: close\r\n"), ("GET", "/healthz", "")]))
        answer = read_all(client)
        assert [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] == [
            b"200", b"200", b"401", b"200"] or answer.count(b"HTTP/1.1 ") == 4


# IPv6

def test_a_daemon_listens_on_an_ipv6_address(tmp_path):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("needs IPv6")
    sluice = SluiceProcess(tmp_path)
    sluice.listen_host = "::1"
    sluice.start()
    try:
        answer = HTTPClient("::1", sluice.port, ADMIN_KEY).get("/runs")
        assert answer.status == 200
        until_true(lambda: f"http://[::1]:{sluice.port}" in sluice.output.read_text())
    finally:
        assert sluice.stop() == 0


@pytest.mark.parametrize("listen", ["::1:8080", "[::1]", "[::1", "8080", ":8080", "[]:x"])
def test_an_address_that_cannot_be_read_is_refused(sluice, tmp_path, listen):
    ended = sluice.run("serve", "--data-dir", tmp_path / "d", "--listen", listen)
    assert ended.returncode == 78 and "listen must be HOST:PORT" in ended.stderr
