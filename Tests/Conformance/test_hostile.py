"""Nothing a client sends makes a 500, hangs the daemon, or goes unanswered."""

import contextlib
import json
import socket

import pytest


@pytest.fixture(autouse=True)
def still_answers(api):
    yield
    assert api.get("/runs").status == 200


BAD_BODIES = {
    "not json": b"{", "trailing": b"{} {}", "array": b"[]", "string": b'"x"', "number": b"1e999", "nan": b'{"a": NaN}',
    "single quotes": b"{'a': 1}", "comment": b"{/* */}", "utf-16": '{"a":1}'.encode("utf-16"),
    "invalid utf-8": b'{"agent_id": "\xff\xfe"}', "overlong": b'{"agent_id": "\xc0\xaf"}',
    "lone surrogate": b'{"agent_id": "\\ud800", "user_id": "u"}', "raw control": b'{"agent_id": "a\x01", "user_id": "u"}',
    "nul": b'{"agent_id": "a\\u0000b", "user_id": "u"}', "deep": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "duplicate names": b'{"agent_id": "a", "agent_id": "b", "user_id": "u"}', "nul bytes": b"\x00" * 100,
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_not_what_it_should_be_is_400(api, name):
    answer = api.post("/runs", content=BAD_BODIES[name])
    assert answer.status == 400 and answer.error, (name, answer)


@pytest.mark.parametrize("value", [None, True, 7, 1.5, [], {}, [[]], "", " \n", "\u202e" * 3000, "x" * 100_000])
@pytest.mark.parametrize("field", ["agent_id", "user_id", "conversation_id", "namespace", "invoke_url"])
def test_a_field_of_the_wrong_type_or_size_is_named(api, field, value):
    answer = api.post("/runs", {"agent_id": "a", "user_id": "u"} | {field: value})
    assert answer.status in (201, 400), answer
    if answer.status == 400:
        assert field in answer.error or "workspace" in answer.error
    if isinstance(value, (bool, int, float, list, dict)):
        assert answer.status == 400


def test_a_body_that_is_too_large_is_413_whether_announced_or_not(sluice, api):
    large = b'{"agent_id": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    assert api.post("/runs", content=large).status == 413
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        connection.sendall(
            b"POST /runs HTTP/1.1\r\nHost: x\r\nAuthorization: " + api.headers["Authorization"].encode()
            + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = b""
        try:
            for _ in range(200):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            pass
        try:
            answer = connection.recv(4096)
        except ConnectionResetError:
            return
        assert answer.startswith(b"HTTP/1.1 413"), answer


PATHS = [
    "/runs/../../etc/passwd", "/runs/%2e%2e%2f%2e%2e%2fetc", "//runs", "/runs//events", "/runs/%00", "/runs/%", "/runs/%zz",
    "/api/agents/default/%2F", "/api/tools/..", "/api/tools/%2e%2e", "/api/v1/workspaces/../runs",
    "/api/v1/workspaces/%00/runs", "/api/v1/workspaces/DEFAULT/runs", "/runs/" + "9" * 10_000, "/runs/" + "%41" * 3000,
    "/runs?status=%00", "/runs?limit=99999999999999999999", "/as//runs", "/as/%00/runs", "/\u00e9".encode().decode("latin-1"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_tricky_path_is_4xx_and_leads_nowhere(sluice, api, path):
    answer = raw(sluice, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {api.headers['Authorization']}\r\n"
                 "Connection: close\r\n\r\n".encode("latin-1"))
    status = int(answer.split()[1])
    assert 400 <= status < 500, answer[:200]
    assert b"root:" not in answer


@pytest.mark.parametrize("method", ["BREW", "PROPFIND", "TRACE", "CONNECT", "OPTIONS", "get", "X" * 5000])
def test_an_unknown_method_is_405_with_allow_or_400(sluice, api, method):
    answer = raw(sluice, f"{method} /runs HTTP/1.1\r\nHost: x\r\nAuthorization: {api.headers['Authorization']}\r\n"
                 "Connection: close\r\n\r\n".encode())
    status = int(answer.split()[1])
    assert status in (400, 405), answer[:200]
    if status == 405:
        assert b"\r\nallow:" in answer.lower()


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\x00" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /runs HTTP/1.1\r\n" + b"X-A: " + b"b" * 200_000 + b"\r\n\r\n",
    b"GET /runs HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % each for each in range(5000)) + b"\r\n",
    b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /runs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("index", range(len(GARBAGE)))
def test_bytes_that_are_no_request_are_refused_or_cut_off(sluice, index):
    answer = raw(sluice, GARBAGE[index])
    assert answer == b"" or 400 <= int(answer.split()[1]) < 500, answer[:200]


def raw(sluice, request):
    """Sends bytes and returns what comes back before the server closes."""
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=20) as connection:
        try:
            connection.sendall(request)
            with contextlib.suppress(OSError):  # a refusal may have closed the connection already
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer
        except (ConnectionResetError, BrokenPipeError):
            return b""


def test_hostile_text_comes_back_exactly_as_it_was_sent(api, run):
    data = {
        "message": "\u202e\ud83d\ude80 \u0001\u007f\u2028 </script> ' \" \\ \n\r\t", "big": 12345678901234567890123,
        "float": 0.1, "exp": 1e300, "nested": [[[[{"a": None, "": [True, False]}]]]]}
    sent = json.loads(json.dumps(data))
    api.post(f"/runs/{run['id']}/events", {"type": "USER_MESSAGE", "data": sent})
    [event] = api.get(f"/api/v1/runs/{run['id']}/events").json
    assert event["data"] == sent


def test_unknown_fields_are_ignored_and_kept_nowhere(api):
    created = api.post("/runs", {"agent_id": "a", "user_id": "u", "surprise": "kept-nowhere"})
    assert created.status == 201 and b"kept-nowhere" not in created.content


def test_null_and_no_body_mean_an_empty_object(api, run):
    for content in (None, b"", b"null", b"{}"):
        action = api.post(f"/runs/{run['id']}/actions", {"tool_id": "t"}).json["action_id"]
        assert api.post(f"/runs/{run['id']}/actions/{action}/approve", content=content).status == 200


@pytest.mark.parametrize("part", ["header", "body", "nothing"])
def test_a_client_that_drips_its_request_is_cut_off(own_sluice, part):
    sluice = own_sluice(SLUICE_BODY_TIMEOUT="1s", SLUICE_IDLE_TIMEOUT="1s")
    headers = f"POST /runs HTTP/1.1\r\nHost: x\r\nAuthorization: {sluice.client().headers['Authorization']}\r\n"
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=0.1) as connection:
        if part == "body":
            connection.sendall((headers + "Content-Length: 1000000\r\n\r\n").encode())
        received = None
        for _ in range(300):
            try:
                if part == "header":
                    connection.sendall(b"G")
                elif part == "body":
                    connection.sendall(b" ")
                received = connection.recv(1000)
                break
            except TimeoutError:
                received = None
            except (ConnectionResetError, BrokenPipeError):
                received = b""
                break
        assert received is not None, "the connection is held for ever"
        assert sluice.client().get("/runs").status == 200


def test_a_slow_body_in_time_is_taken(own_sluice):
    sluice = own_sluice(SLUICE_IDLE_TIMEOUT="1s")
    body = json.dumps({"agent_id": "a", "user_id": "u"}).encode()
    head = (f"POST /runs HTTP/1.1\r\nHost: x\r\nAuthorization: {sluice.client().headers['Authorization']}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        connection.sendall(head + body[:5])
        # Another request in between shows that the first one waits for the rest of its body.
        assert sluice.client().get("/runs").json == []
        connection.sendall(body[5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 201")


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_fault_of_the_server(own_sluice):
    sluice = own_sluice()
    api = sluice.client()
    head = f"POST /runs HTTP/1.1\r\nHost: x\r\nAuthorization: {api.headers['Authorization']}\r\nContent-Length: 9\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", sluice.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert api.get("/runs").status == 200
    counted = 'sluice_http_request_seconds_count{method="POST",route="/runs",status="'
    seen = (api.get("/metrics").content.decode() for _ in range(10_000))
    metrics = next(text for text in seen if counted in text)
    assert counted + '400"} 1' in metrics
    assert "internal" not in sluice.output.read_text()
