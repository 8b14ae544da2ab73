"""Requests to Gemini are those that Google's own package makes of the same conversations."""

import itertools
import json
import re
import subprocess

import pytest

from models.byte_provider import ByteProvider, sse
from models.clients.client_world import DRIVERS
from models.clients.drivers.gemini_conversations import CONVERSATIONS
from sluice_process import ROOT, SluiceProcess

MODEL = "gemini-2.5-pro"
ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}}


WHOLE = 200, {"Content-Type": "application/json"}, json.dumps(ANSWER).encode()
STREAM = 200, {"Content-Type": "text/event-stream"}, sse(ANSWER, done=False)


class Recorder(ByteProvider):
    """A server that answers the conversations as Gemini does, again and again."""

    def __init__(self):
        super().__init__()
        answers = itertools.cycle([STREAM if each.get("stream") else WHOLE for each in CONVERSATIONS])
        self.respond = lambda body: next(answers)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def requests(self):
        """The path and the body of each request so far."""
        return [(path, normal(json.loads(content))) for path, content in
                iter(lambda: self.calls.get_nowait() if self.calls.qsize() else None, None)]


def normal(value, name=None):
    """The service reads names in both of its spellings, and an instruction's role not at all."""
    if isinstance(value, dict):
        spelled = {re.sub(r"_([a-z])", lambda match: match[1].upper(), each): inner for each, inner in value.items()}
        if name == "systemInstruction":
            spelled.pop("role", None)
        if spelled.get("generationConfig") == {}:
            del spelled["generationConfig"]
        return {each: normal(inner, each) for each, inner in spelled.items()}
    return [normal(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_a_request_is_the_one_of_googles_own_package(own_sluice, recorder):
    sluice = own_sluice()
    answer = sluice.client().post("/api/v1/model-providers", {
        "name": "google", "credentials": {"api_key": "AIza-of-the-provider"}, "spec": {
            "provider": "gemini", "endpoint": recorder.url, "models": [MODEL], "auth": {"type": "APIKey"}}})
    assert answer.status == 201, answer
    client = sluice.client(sluice.key("agent"))
    for conversation in CONVERSATIONS:
        answer = client.post("/v1/chat/completions", {"model": MODEL} | conversation)
        assert answer.status == 200 and b"hello" in answer.content, answer
    ours = recorder.requests()
    ended = subprocess.run(
        [ROOT / ".venv/frameworks-litellm/bin/python", "-W", "ignore", DRIVERS / "drive_google_genai.py", recorder.url, MODEL],
        capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-4000:]
    theirs = recorder.requests()
    assert len(ours) == len(theirs) == len(CONVERSATIONS)
    for our, their in zip(ours, theirs):
        assert our == their
