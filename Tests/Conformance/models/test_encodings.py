"""Answers that come compressed, although identity was asked for, are read, metered and redacted like any other."""

import contextlib
import gzip
import http.client
import json
import socket
import threading
import zlib

import anthropic
import openai
import pytest

from models.byte_provider import KEY, provider, sse  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
USAGE = {"prompt_tokens": 700, "completion_tokens": 50, "total_tokens": 750}
WORD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": f"hello {KEY}"}, "finish_reason": None}]}
END = WORD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
REPLY = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE, "choices": [{
    "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"hello {KEY}"}}]}


def raw(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODINGS = {
    "gzip": ("gzip", gzip.compress), "x-gzip": ("X-GZip", gzip.compress), "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw), "identity": ("identity", lambda data: data),
    "several members": ("gzip", lambda data: gzip.compress(data[:70]) + gzip.compress(data[70:])),
    "no compression": ("gzip", lambda data: gzip.compress(data, 0))}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("encodings")).start()
    yield process
    assert process.stop() == 0


def answer(provider, kind, coding, content, status=200):
    provider.respond = lambda body: (status, {"Content-Type": kind, "Content-Encoding": coding}, content)


def last_call(sluice, model):
    lines = sluice.run("log", "cat", "--data-dir", sluice.data).stdout
    assert KEY not in lines
    return [event["data"] for event in map(json.loads, lines.split("\n")[:-1])
            if event["type"].startswith("model_call.") and event["data"]["model"] == model][-1]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", CODINGS)
def test_a_compressed_answer_is_read_metered_and_redacted(sluice, provider, path, stream, name):
    coding, encode = CODINGS[name]
    content = sse(WORD, END, WORD | {"choices": [], "usage": USAGE}) if stream else json.dumps(REPLY).encode()
    answer(provider, "text/event-stream" if stream else "application/json", coding, encode(content))
    model = provider.store(sluice.client())
    found = sluice.client(sluice.key("agent")).post(
        path, {"model": model, "messages": ASK, "max_tokens": 9, "stream": stream})
    assert found.status == 200 and b"hello" in found.content and KEY.encode() not in found.content
    assert found.headers.get("content-encoding", "identity") == "identity"
    data = last_call(sluice, model)
    assert (data["prompt_tokens"], data["completion_tokens"]) == (700, 50) and "estimated" not in data


def test_both_sdks_read_a_compressed_answer(sluice, provider):
    answer(provider, "application/json", "gzip", gzip.compress(json.dumps(REPLY).encode()))
    model, key = provider.store(sluice.client()), sluice.key("agent")
    chat = openai.OpenAI(base_url=sluice.url + "/v1", api_key=key, max_retries=0)
    assert chat.chat.completions.create(model=model, messages=ASK).choices[0].message.content.startswith("hello")
    messages = anthropic.Anthropic(base_url=sluice.url, api_key=key, max_retries=0).messages
    assert messages.create(model=model, messages=ASK, max_tokens=9).content[0].text.startswith("hello")


def test_a_compressed_error_has_the_providers_words(sluice, provider):
    error = json.dumps({"error": {"message": f"context too long {KEY}"}}).encode()
    answer(provider, "application/json", "gzip", gzip.compress(error), 400)
    found = sluice.client(sluice.key("agent")).post(
        "/v1/chat/completions", {"model": provider.store(sluice.client()), "messages": ASK})
    assert found.status == 400 and "context too long" in found.error and KEY not in found.error


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "several members"])
def test_a_body_in_chunks_of_single_bytes_is_decoded(sluice, name):
    coding, encode = CODINGS[name]
    content = encode(json.dumps(REPLY).encode())
    head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as request:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # A connection that is closed before all was read is reset.
                lines = iter(request.readline, b"\r\n")
                length = [line.split(b":")[1] for line in lines if line.lower().startswith(b"content-length:")]
                request.read(int(length[0]))
                connection.sendall(head.encode())
                for byte in content:
                    connection.sendall(b"1\r\n%c\r\n" % byte)
                connection.sendall(b"0\r\n\r\n")
        thread = threading.Thread(target=serve)
        thread.start()
        model = f"by-bytes-{server.getsockname()[1]}"
        stored = sluice.client().post("/api/v1/model-providers", {"name": model, "spec": {
            "provider": "vllm", "endpoint": f"http://127.0.0.1:{server.getsockname()[1]}", "models": [model]}})
        assert stored.status == 201, stored
        found = sluice.client(sluice.key("agent")).post("/v1/chat/completions", {"model": model, "messages": ASK})
        assert found.status == 200 and found.json == REPLY
        thread.join()


@pytest.mark.parametrize("coding, content, word", [
    ("br", b"\x0b\x02\x80hello\x03", "br"), ("zstd", b"(\xb5/\xfd", "zstd"), ("gzip, gzip", b"", "gzip, gzip"),
    ("gzip", b"no gzip at all", "damaged"), ("gzip", gzip.compress(b'{"choices":[]}' * 9, mtime=0)[:-12], "cut off"),
    ("deflate", zlib.compress(b"{}") + b"more", "bytes after its end")])
def test_what_cannot_be_decoded_is_a_502_that_says_so(sluice, provider, coding, content, word):
    answer(provider, "application/json", coding, content)
    found = sluice.client(sluice.key("agent")).post(
        "/v1/chat/completions", {"model": provider.store(sluice.client()), "messages": ASK})
    assert found.status == 502 and word in found.json["detail"], found


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_that_grows_without_end_is_cut_at_the_limit_of_answers(sluice, provider, stream):
    compressor = zlib.compressobj(9, wbits=31)
    piece, parts = b" " * (1024 * 1024), []
    for _ in range(512):
        parts.append(compressor.compress(piece))
    content = b"".join(parts) + compressor.flush()
    assert len(content) < 1024 * 1024
    answer(provider, "text/event-stream" if stream else "application/json", "gzip", content)
    model = provider.store(sluice.client())
    before = memory(sluice)
    connection, read = sluice.client().connection(), 0
    connection.request("POST", "/v1/chat/completions", json.dumps({"model": model, "messages": ASK, "stream": stream}),
                       {"Authorization": f"Bearer {sluice.key('agent')}", "Content-Type": "application/json"})
    with contextlib.closing(connection), contextlib.suppress(http.client.IncompleteRead, ConnectionError):
        response = connection.getresponse()
        while part := response.read(65536):
            read += len(part)
    assert read <= 64 * 1024 * 1024
    assert "larger than" in last_call(sluice, model)["error"]
    assert memory(sluice) - before < 48 * 1024 * 1024


def memory(sluice):
    """The most that the process has had in memory."""
    with open(f"/proc/{sluice.process.pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
