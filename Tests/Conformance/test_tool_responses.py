"""What the gate makes of a tool's response: redirects that stay at the gate, HEAD, media types, and the size limit."""

import http.client
import pathlib
import sys
import threading
import urllib.parse
import urllib.request

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool


@pytest.fixture(scope="module")
def tool():
    tool = ScriptedTool()
    yield tool
    tool.close()


@pytest.fixture(scope="module")
def agent(sluice, tool):
    store_tool(sluice, "files", tool.url + "/base")
    store_tool(sluice, "all-of-it", tool.url)
    return GovernedAgent(sluice, "reader", [("allow", ["GET", "HEAD", "POST"], tool.url + "/*")])


@pytest.fixture
def run(agent):
    return agent.start()


def followed(sluice, agent, run, path, method="GET"):
    """What Python's own client ends at, and the URL."""
    request = urllib.request.Request(
        f"{sluice.url}/as/{agent.token}/egress/{path}", headers={"X-Run-ID": run}, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read(), response.geturl()


BELOW = {
    "an absolute URL": "{tool}/base/new?a=1&b=%2F",
    "an absolute URL with a fragment": "{tool}/base/new?a=1&b=%2F#part",
    "another spelling of the host": "HTTP://127.0.0.1:{port}/base/./new?a=1&b=%2F",
    "a URL without a scheme": "//127.0.0.1:{port}/base/new?a=1&b=%2F",
    "an absolute path": "/base/new?a=1&b=%2F", "a relative path": "new?a=1&b=%2F",
    "a relative path with dots": "../base/x/../new?a=1&b=%2F", "a path of this directory": "./new?a=1&b=%2F",
}


@pytest.mark.parametrize("name", BELOW)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_below_the_tool_is_followed_at_the_gate(sluice, agent, run, tool, name, status):
    location = BELOW[name].format(tool=tool.url, port=tool.port)
    tool.answer = lambda call: (
        (status, [("Location", location)], b"") if call.target == "/base/old" else (200, [], call.target.encode()))
    body, url = followed(sluice, agent, run, "files/old")
    assert body == b"/base/new?a=1&b=%2F"
    assert url.split("#")[0] == f"{sluice.url}/as/{agent.token}/egress/files/new?a=1&b=%2F"


def test_a_redirect_of_a_query_alone_stays_at_its_path(sluice, agent, run, tool):
    tool.answer = lambda call: (
        (302, [("Location", "?page=2")], b"") if "page" not in call.target else (200, [], call.target.encode()))
    assert followed(sluice, agent, run, "files/list")[0] == b"/base/list?page=2"


def test_a_chain_of_redirects_is_followed_each_one_judged(sluice, agent, run, tool):
    steps = {"/base/1": "2", "/base/2": "/base/3", "/base/3": f"{tool.url}/base/end"}
    tool.answer = lambda call: (
        (302, [("Location", steps[call.target])], b"") if call.target in steps else (200, [], b"end"))
    assert followed(sluice, agent, run, "files/1")[0] == b"end"
    called = [event for event in agent.events(run, "TOOL_CALLED")]
    assert len(called) == 4


ELSEWHERE = {
    "another host": ("https://elsewhere.example/x", "https://elsewhere.example/x"),
    "another port": ("http://127.0.0.1:1/base/x", "http://127.0.0.1:1/base/x"),
    "beside the base URL": ("/other", "{tool}/other"), "a longer name": ("/baseline", "{tool}/baseline"),
    "above the base URL": ("../../x", "{tool}/base/../../x"), "a path of the gate": ("/as/x/egress/y", "{tool}/as/x/egress/y"),
    "no URL of HTTP": ("mailto:a@b.example", "mailto:a@b.example"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_redirect_elsewhere_leads_away_from_the_gate(agent, run, tool, name):
    sent, expected = ELSEWHERE[name]
    tool.answer = lambda call: (302, [("Location", sent)], b"")
    answer = agent.call(run, "GET", "files", "/x/y" if name == "above the base URL" else "/x")
    location, = answer.header("location")
    expected = expected.format(tool=tool.url)
    if name == "above the base URL":
        assert location == f"{tool.url}/base/x/../../x" or "/as/" in location
    else:
        assert location == expected


def test_other_headers_with_urls_are_rewritten_too(agent, run, tool):
    base = f"/as/{agent.token}/egress/files"
    tool.answer = lambda call: (201, [
        ("Content-Location", "/base/made"), ("Refresh", "5; url=/base/soon"),
        ("Link", f'<{tool.url}/base/list?page=2>; rel="next", <https://a.example/>; rel="help"')], b"")
    answer = agent.call(run, "GET", "files", "/list")
    assert answer.header("content-location") == [base + "/made"]
    assert answer.header("refresh") == [f"5; url={base}/soon"]
    assert answer.header("link") == [f'<{base}/list?page=2>; rel="next", <https://a.example/>; rel="help"']


def test_a_tool_at_the_root_of_its_host_redirects_to_its_own_address(agent, run, tool):
    tool.answer = lambda call: (302, [("Location", "/")], b"")
    assert agent.call(run, "GET", "all-of-it", "/x").header("location") == [f"/as/{agent.token}/egress/all-of-it/"]


# HEAD and media types

def test_head_keeps_the_length_that_the_tool_says(agent, run, tool):
    tool.answer = lambda call: (200, [("ETag", '"1"')], b"x" * 12345)
    answer = agent.call(run, "HEAD", "files", "/large")
    assert answer.header("content-length") == ["12345"] and answer.content == b"" and answer.header("etag") == ['"1"']
    assert agent.call(run, "GET", "files", "/large").header("content-length") == ["12345"]


def test_a_connection_is_usable_after_head(sluice, agent, run, tool):
    tool.answer = lambda call: (200, [], b"x" * 10)
    connection = http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, f"/as/{agent.token}/egress/files/x", headers={"X-Run-ID": run})
        response = connection.getresponse()
        assert response.status == 200 and response.read() == (b"" if method == "HEAD" else b"x" * 10)
    connection.close()


@pytest.mark.parametrize("media_type", [
    "text/event-stream", "Text/Event-Stream; charset=utf-8", "TEXT/EVENT-STREAM", "text/event-stream ;x=y"])
def test_a_stream_arrives_as_it_is_sent_however_its_type_is_written(agent, run, tool, media_type):
    def parts():
        yield b"data: 1\n\n"
        tool.released.wait(30)
        yield b"data: 2\n\n"
    tool.released = threading.Event()
    tool.answer = lambda call: (200, [("Content-Type", media_type)], parts())
    response, connection = agent.open(run, "GET", "files", "/stream")
    try:
        assert response.read1(100) == b"data: 1\n\n", "the first event arrives before the second is sent"
        tool.released.set()
        assert response.read() == b"data: 2\n\n"
    finally:
        tool.released.set()
        connection.close()


def test_an_answer_that_is_too_large_breaks_off(agent, run, tool):
    def parts():
        for _ in range(66):
            yield b"x" * (1024 * 1024)
    tool.answer = lambda call: (200, [], parts())
    response, connection = agent.open(run, "GET", "files", "/huge")
    received = 0
    with pytest.raises((http.client.IncompleteRead, ConnectionError)) as broken:
        while part := response.read(1024 * 1024):
            received += len(part)
    connection.close()
    if isinstance(broken.value, http.client.IncompleteRead):
        received += len(broken.value.partial)
    assert received <= 64 * 1024 * 1024


PARTS, WARM_PARTS, PART_GROWTH_BYTES_MAX = 15_000, 2_000, 300


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_the_parts_of_a_long_stream_leave_nothing_behind(own_sluice, tool):
    # Each part is awaited, with a time limit; a timer for each would stay until its time has come.
    sluice = own_sluice(SLUICE_MEMORY_TRIM_INTERVAL="never")
    store_tool(sluice, "files", tool.url)
    agent = GovernedAgent(sluice, "reader", [("allow", ["GET"], tool.url + "/*")])
    asked = threading.Semaphore(0)

    def parts():
        for number in range(PARTS + WARM_PARTS):
            assert asked.acquire(timeout=60)
            yield b"data: %d\n\n" % number

    def resident():
        status = pathlib.Path(f"/proc/{sluice.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) * 1024

    tool.answer = lambda call: (200, [("Content-Type", "text/event-stream")], parts())
    response, connection = agent.open(agent.start(), "GET", "files", "/stream")

    def read(numbers):
        for number in numbers:
            asked.release()
            assert response.readline() == b"data: %d\n" % number and response.readline() == b"\n"

    read(range(WARM_PARTS))
    before = resident()
    read(range(WARM_PARTS, WARM_PARTS + PARTS))
    assert resident() - before < PARTS * PART_GROWTH_BYTES_MAX
    connection.close()
