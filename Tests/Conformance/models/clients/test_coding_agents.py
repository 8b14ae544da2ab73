"""Requests of coding agents reach every kind of provider in a form that its service accepts, with nothing left out."""

import json
import re
import urllib.parse

import pytest

from models.clients import coding_agents
from models.clients.client_world import ClientWorld
from models.clients.drivers.scenarios import HELLO
from models.clients.strict_providers import KINDS
from scripted_provider import Answer
from sluice_process import SluiceProcess

# The kinds that get such a request byte for byte.
NATIVE = {"/v1/messages": {"anthropic"}, "/v1/chat/completions": {"openai", "mistral"}, "/v1/responses": set()}
REQUESTS = [("/v1/messages?beta=true", name, request) for name, request in coding_agents.MESSAGES.items()] + [
    ("/v1/chat/completions", name, request) for name, request in coding_agents.CHAT.items()] + [
    ("/v1/responses", name, request) for name, request in coding_agents.RESPONSES.items()]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("agents")).start()
    world = ClientWorld(process)
    for provider in world.providers.values():
        provider.check_translated = provider.check
    yield world
    world.close()
    assert process.stop() == 0


def texts(value):
    """Every text that a model reads in a conversation: thoughts are their model's alone."""
    if isinstance(value, dict):
        if value.get("type") not in ("thinking", "reasoning"):
            for name, each in value.items():
                if name in ("text", "content", "system", "instructions") and isinstance(each, str):
                    yield each.strip()
                elif name != "tools":
                    yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def ask(world, kind, path, request):
    """The response, and the body that reached the provider."""
    provider = world.providers[kind]
    is_native = kind in NATIVE[urllib.parse.urlsplit(path).path]
    provider.check = (lambda *_: None) if is_native else provider.check_translated
    provider.calls.queue.clear()
    headers = coding_agents.CLAUDE_CODE_HEADERS if path.startswith("/v1/messages") else {}
    client = world.sluice.client(world.key, **headers)
    answer = client.post(path, {"model": provider.model} | request)
    return answer, provider.calls.get_nowait()[2] if provider.calls.qsize() else None, is_native


def numbered(body):
    """The body with the numbers of calls in the place of their ids, and the ids in that order."""
    body, ids = json.loads(json.dumps(body)), {}
    for message in body["messages"]:
        for call in message.get("tool_calls") or []:
            call["id"] = ids.setdefault(call["id"], len(ids))
        if "tool_call_id" in message:
            message["tool_call_id"] = ids.setdefault(message["tool_call_id"], len(ids))
    return body, list(ids)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path, name, request_", REQUESTS, ids=[name for _, name, _ in REQUESTS])
def test_a_request_of_a_coding_agent_is_answered_by_every_kind_of_provider(world, kind, path, name, request_):
    answer, received, is_native = ask(world, kind, path, request_)
    assert answer.status == 200, answer
    content = answer.content.decode()
    assert not re.search(r'"error": ?[{"]', content), content
    assert HELLO.split()[1] in content
    if is_native:
        received.pop("stream_options", None)
        sent = {"model": world.providers[kind].model} | request_
        if kind == "mistral":
            (received, ids), (sent, _) = numbered(received), numbered(sent)
            assert all(re.fullmatch("[a-zA-Z0-9]{9}", id) for id in ids), ids
        assert received == {name: each for name, each in sent.items() if name != "stream_options"}
    else:
        there = json.dumps(received, ensure_ascii=False)
        for each in texts(request_):
            assert json.dumps(each, ensure_ascii=False)[1:-1] in there, each
        assert coding_agents.PIXEL not in json.dumps(request_) or coding_agents.PIXEL in there
    assert coding_agents.CLAUDE_CODE_USER not in json.dumps(received) or is_native


LONG_NAME = coding_agents.CLAUDE_CODE_TOOLS[-1]["name"]
LONG_REQUESTS = {
    "/v1/messages": coding_agents.claude_code(thinking=None, tools=coding_agents.CLAUDE_CODE_TOOLS[-1:], messages=[
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_01F", "name": LONG_NAME, "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01F", "content": "again"}]}]),
    "/v1/chat/completions": {
        "messages": [{"role": "user", "content": "go"}], "stream": True,
        "tools": [{"type": "function", "function": {"name": LONG_NAME}}]}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", LONG_REQUESTS)
def test_a_call_of_a_tool_comes_back_under_the_name_that_its_caller_gave(world, kind, path, stream):
    provider = world.providers[kind]
    provider.say = lambda body: Answer(calls=[(provider.call_id(1), provider.tools(body)[0], {"a": 1})])
    try:
        request = {name: each for name, each in LONG_REQUESTS[path].items() if each is not None}
        answer, _, _ = ask(world, kind, path, request | {"stream": stream})
    finally:
        provider.say = provider.say_in_scenario
    assert answer.status == 200, answer
    assert json.dumps(LONG_NAME) in answer.content.decode(), answer.content
