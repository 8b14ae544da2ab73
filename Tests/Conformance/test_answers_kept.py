"""Whatever bytes an agent answers with reach its caller and the record, and NUL is a character like any other."""

import itertools
import json

import pytest

from raw_agent import RawAgent
from waiting import eventually

LIMIT = 1024 * 1024
NAMES = (f"bytes-{number}" for number in itertools.count())


@pytest.fixture
def agent(api):
    """A deployed agent that answers with raw bytes."""
    agent = RawAgent()
    agent.name = next(NAMES)
    answer = api.post("/api/v1/deploy", {"agent_name": agent.name, "image": "i", "invoke_url": agent.url})
    assert answer.status == 201, answer
    yield agent
    agent.close()


def invoked(api, agent, message="hello"):
    """The answer to a caller that waits for it."""
    answer = api.post(f"/api/v1/agents/{agent.name}/invoke", {"message": message})
    assert answer.status == 200, answer
    return answer.json


def started(api, agent, message="hello"):
    """A run that no caller waits for, once it is finished."""
    run = api.post("/runs", {"agent_id": agent.name, "user_id": "u", "message": message, "invoke": True}).json["id"]
    eventually(
        lambda: api.get(f"/runs/{run}").json["status"], lambda status: status in ("COMPLETED", "FAILED"))
    return run


def recorded(api, run):
    """What the run's timeline keeps of the answer."""
    return next(event["data"].get("response") for event in api.get(f"/runs/{run}/events").json
                if event["type"] == "INVOKE_COMPLETED")


DEEP = b"[" * 200 + b"1" + b"]" * 200

ANSWERS = {
    "NUL": (b'{"response": "a\\u0000b"}', {"response": "a\0b"}),
    "half a surrogate pair": (b'{"response": "\\ud83d", "b": "\\udc00\\ud83d"}',
                              {"response": "\\ud83d", "b": "\\udc00\\ud83d"}),
    "a whole pair": (b'{"response": "\\ud83d\\ude80"}', {"response": "\U0001f680"}),
    "no numbers": (b'{"a": NaN, "b": [Infinity, -Infinity], "c": -1}', {"a": "NaN", "b": ["Infinity", "-Infinity"],
                                                                        "c": -1}),
    "invalid UTF-8": (b'{"response": "caf\xe9 \xff\xc0\xaf \xed\xa0\x80"}',
                      {"response": "caf\\xe9 \\xff\\xc0\\xaf \\xed\\xa0\\x80"}),
    "raw control characters": (b'{"response": "a\nb\x00c"}', {"response": "a\nb\0c"}),
    "a name twice": (b'{"a": 1, "a": 2, "a": 3}', {"a#1": 1, "a#2": 2, "a": 3}),
    "a name twice, and the other taken": (b'{"a#1": 0, "a": 1, "a": 2}', {"a#1": 0, "a#2": 1, "a": 2}),
    "deep nesting": (b'{"response": ' + DEEP + b"}", None),
    "a byte order mark": (b'\xef\xbb\xbf{"response": 1}', {"response": 1}),
    "plain text": (b"it is done", {"response": "it is done"}),
    "a page": (b"<html>\xe9</html>", {"response": "<html>\\xe9</html>"}),
    "broken JSON": (b'{"response": "a', {"response": '{"response": "a'}),
    "more after the value": (b'{} {}', {"response": "{} {}"}),
    "any bytes": (bytes(range(256)), {"response": "".join(map(chr, range(128)))
                                      + "".join(f"\\x{byte:02x}" for byte in range(128, 256))}),
    "a bare value": (b"7", 7),
    "null": (b"null", None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_reaches_its_caller_and_the_record(api, agent, name):
    sent, expected = ANSWERS[name]
    agent.answer = lambda request: sent
    answer = invoked(api, agent)
    run = started(api, agent)
    if name == "deep nesting":
        value, depth = answer["response"], 0
        while isinstance(value, list):
            value, depth = value[0], depth + 1
        assert depth == 63 and json.loads(value) == json.loads(DEEP[63:-63])
    else:
        assert answer == expected
    assert recorded(api, run) == answer
    exported = api.get(f"/api/v1/runs/{run}/audit/export?format=ndjson")
    lines = [json.loads(line) for line in exported.content.splitlines()]
    assert json.dumps(answer) in json.dumps(lines), lines


def test_the_stream_of_a_run_has_its_answer(api, agent):
    agent.answer = lambda request: b'{"response": "\\u0000 \\ud83d \xff"}'
    run = started(api, agent)
    stream = api.get(f"/runs/{run}/events/stream").content.decode()
    data = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    completed = next(each for each in data if each.get("type") == "INVOKE_COMPLETED")
    assert completed["data"]["response"] == {"response": "\0 \\ud83d \\xff"}


LONG = {
    "JSON": (b'{"ok": true, "response": "' + b"x" * (2 * LIMIT) + b'", "more": 1}', "response"),
    "text": (b"x" * (3 * LIMIT), "response"),
    "a list": (b"[" + b'"abc",' * LIMIT + b'"z"]', "response"),
    "escapes": (b'{"response": "' + b"\\u00e9" * LIMIT + b'"}', "response"),
    "bytes": (b"\xff" * (2 * LIMIT), "response"),
    "NUL": (b"\0" * (2 * LIMIT), "response"),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_answer_is_cut_with_a_note(api, agent, name):
    sent, member = LONG[name]
    agent.answer = lambda request: sent
    answer = invoked(api, agent)
    words = answer["answer_note"].split()
    cut, of = int(words[0]), int(words[2])
    assert of == len(sent) and len(sent) - LIMIT <= cut < of, answer["answer_note"]
    assert len(answer[member]) > 1000
    assert recorded(api, started(api, agent)) == answer
    if name == "JSON":
        assert answer["ok"] is True and set(answer[member]) == {"x"} and "more" not in answer
        assert cut == len(sent) - LIMIT


def test_an_answer_at_the_limit_is_whole(api, agent):
    sent = {"response": "x" * (LIMIT - len('{"response":""}'))}
    agent.answer = lambda request: json.dumps(sent, separators=(",", ":")).encode()
    assert invoked(api, agent) == sent


def test_an_empty_answer_is_the_runs_status(api, agent):
    agent.answer = lambda request: b""
    assert invoked(api, agent)["status"] == "COMPLETED"


def test_an_error_keeps_its_text(api, agent):
    agent.answer = lambda request: (422, b"caf\xe9 \x00 \\ud83d")
    answer = api.post(f"/api/v1/agents/{agent.name}/invoke", {"message": "x"})
    assert answer.status == 422 and "caf\\xe9 \0 \\ud83d" in answer.error
    run = started(api, agent)
    shown = api.get(f"/runs/{run}").json
    assert shown["status"] == "FAILED"
    failed = next(event for event in api.get(f"/runs/{run}/events").json if event["type"] == "INVOKE_FAILED")
    assert "caf\\xe9 \0 \\ud83d" in failed["data"]["error"]


TEXT = "a\0b\0"


def test_a_message_with_nul_is_the_agents(api, agent):
    assert invoked(api, agent, TEXT) == {}
    assert agent.requests[0]["message"] == TEXT
    run = started(api, agent, TEXT)
    assert agent.requests[1]["message"] == TEXT
    assert api.get(f"/runs/{run}").json["initial_message"] == TEXT
    listed = api.get(f"/runs?agent={agent.name}").json
    assert [each["initial_message"] for each in listed] == [TEXT] * 2


def test_nul_in_a_runs_input_reaches_the_agent(api, agent):
    answer = api.post(f"/api/v1/agents/{agent.name}/invoke", {"message": "m", "more": {TEXT: [TEXT]}})
    assert answer.status == 200 and agent.requests[0]["more"] == {TEXT: [TEXT]}


def test_events_checkpoints_and_results_may_hold_nul(api, run):
    run = run["id"]
    added = api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": TEXT, TEXT: 1}})
    assert added.status == 201, added
    assert api.get(f"/runs/{run}/events").json[-1]["data"] == {"message": TEXT, TEXT: 1}
    assert api.get(f"/runs/{run}").json["initial_message"] == TEXT
    assert api.post(f"/runs/{run}/tool-result", {"tool_id": "t", "result": TEXT}).status in (200, 201)
    blocked = api.post(f"/runs/{run}/actions", {
        "tool_id": "t", "payload_hash": "sha256:" + "0" * 64, "data": {"text": TEXT}})
    assert blocked.status == 201, blocked
    action = blocked.json["action_id"]
    saved = api.post(f"/runs/{run}/checkpoint", {"action_id": action, "messages": [{"content": TEXT}]})
    assert saved.status in (200, 201), saved
    assert api.get(f"/runs/{run}/checkpoint/{action}").json["messages"] == [{"content": TEXT}]


def test_an_agents_checkpoint_may_hold_half_of_a_pair(api, run):
    content = b'{"action_id": "x", "messages": [{"content": "\\ud83d"}]}'
    assert api.post(f"/runs/{run['id']}/checkpoint", content=content).status in (200, 201)
    kept = api.get(f"/runs/{run['id']}/checkpoint/x").json
    assert kept["messages"] == [{"content": "\\ud83d"}]


@pytest.mark.parametrize("path, body", [
    ("/runs", {"agent_id": TEXT, "user_id": "u"}), ("/runs", {"agent_id": "a", "user_id": TEXT}),
    ("/api/tools", {"name": "t", "base_url": "http://x/" + TEXT}),
    ("/api/v1/deploy", {"agent_name": "n", "image": "i", "system_prompt": TEXT}),
    ("/api/policies", {"name": "p", "spec": {"policies": [{"permission": "allow", "resource": TEXT}]}}),
])
def test_names_and_documents_of_resources_hold_no_nul(api, path, body):
    answer = api.post(path, body)
    assert answer.status == 400 and "NUL" in answer.error, answer
