"""While a model thinks its caller gets signs of life, and a caller that leaves ends the call upstream."""

import contextlib
import http.client
import json
import queue
import socket
import threading

import anthropic
import openai
import pytest

from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"hm"},"finish_reason":null}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
STAGES = {"before its head": b"", "after its head": HEAD, "within its answer": HEAD + CHUNK}


class ThinkingModel:
    """Answers each call with `beginning`, and goes on with `rest` when it is released."""

    def __init__(self):
        self.beginning, self.rest, self.released = HEAD, END, threading.Event()
        self.asked, self.left = queue.Queue(), queue.Queue()
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.getsockname()[1]}/v1"

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):
            read = b""
            while b"\r\n\r\n" not in read:
                read += connection.recv(65536)
            head, _, body = read.partition(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                          if line.lower().startswith(b"content-length:"))
            while len(body) < length:
                body += connection.recv(65536)
            connection.sendall(self.beginning)
            self.asked.put(json.loads(body))

            def watch():
                try:
                    if connection.recv(1):
                        return
                except ConnectionResetError:
                    pass  # It was closed before all was read.
                except OSError:
                    return  # The test has ended.
                self.left.put(True)
            threading.Thread(target=watch, daemon=True).start()
            if self.released.wait(60):
                connection.sendall(self.rest)
            # Closing alone would wait for the thread that reads.
            connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.released.set()
        self.server.close()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("thinking"), {"SLUICE_HEARTBEAT": "1s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def model():
    model = ThinkingModel()
    yield model
    model.close()


@pytest.fixture
def name(sluice, model):
    name = f"thinker-{model.server.getsockname()[1]}"
    answer = sluice.client().post("/api/v1/model-providers", {"name": name, "spec": {
        "provider": "vllm", "endpoint": model.url, "models": [name]}})
    assert answer.status == 201, answer
    return name


def call(sluice, path, body, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)
    connection.request("POST", path, json.dumps(body), headers or {
        "Authorization": f"Bearer {sluice.key('agent')}", "Content-Type": "application/json"})
    return connection


def test_a_caller_of_anthropics_format_gets_pings_while_the_model_thinks(sluice, model, name):
    connection = call(sluice, "/v1/messages", {"model": name, "messages": ASK, "max_tokens": 9, "stream": True})
    response = connection.getresponse()
    lines = iter(response.readline, b"")
    assert next(line for line in lines if line.startswith(b"event: ")) == b"event: message_start\n"
    pings = (line for line in lines if line == b"event: ping\n")
    assert next(pings) and next(pings)
    model.released.set()
    assert b"message_stop" in response.read()
    connection.close()


def test_anthropics_sdk_reads_an_answer_with_pings_in_it(sluice, model, name):
    threading.Timer(2.5, model.released.set).start()
    model.beginning = HEAD + CHUNK
    client = anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30)
    with client.messages.stream(model=name, messages=ASK, max_tokens=9) as stream:
        assert stream.get_final_text() == "hm"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_caller_that_leaves_ends_the_call_upstream(sluice, model, name, stage, path, streamed):
    model.beginning = STAGES[stage]
    connection = call(sluice, path, {"model": name, "messages": ASK, "max_tokens": 9, "stream": streamed})
    model.asked.get(timeout=30)
    connection.close()
    assert model.left.get(timeout=30), "long before the timeout of a model"


def test_a_call_that_its_caller_left_is_recorded_with_its_prompt(sluice, model, name):
    model.beginning = b""
    connection = call(sluice, "/v1/chat/completions", {"model": name, "messages": ASK})
    model.asked.get(timeout=30)
    connection.close()
    assert model.left.get(timeout=30)
    # Calls are recorded in order: the next one of the model comes after the first.
    model.beginning, model.rest = HEAD + CHUNK, END
    model.released.set()
    client = openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30)
    list(client.chat.completions.create(model=name, messages=ASK, stream=True))
    answer = sluice.run("log", "cat", "--data-dir", sluice.data)
    calls = [event["data"] for event in map(json.loads, answer.stdout.split("\n")[:-1])
             if event["type"].startswith("model_call.") and event["data"]["model"] == name]
    left = next(data for data in calls if "error" in data)
    assert left["prompt_tokens"] == 3 and left["estimated"]
