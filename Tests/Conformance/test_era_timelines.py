"""A timeline in the words of the era that asks for it, whatever the run did; and an invoke that is followed as a stream."""

import contextlib
import http.client
import json

import pytest

from event_stream import EventStream
from governed_agent import GovernedAgent, store_tool
from scripted_agent import ScriptedAgent
from sluice_process import ADMIN_KEY
from test_contract import DOCUMENT
from test_egress_recovery import FAST

PUBLISHED = set(DOCUMENT["components"]["schemas"]["RunEventType"]["enum"])
BLOCKED = json.dumps({"code": "APPROVAL_REQUIRED", "action_id": "x", "tool": "bank"})


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


@pytest.fixture
def payer(own_sluice, server):
    server.calls.clear()
    sluice = own_sluice(**FAST)
    store_tool(sluice, "bank", server.url)
    assert sluice.client().post("/api/v1/starter-kit").status == 201
    return GovernedAgent(sluice, "payer", [
        ("approval_required", ["POST"], server.url + "/pay*"), ("allow", ["GET"], server.url + "/*"),
        ("allow", ["POST"], server.url + "/note")], llm_config={"provider": "playground-llm", "model": "playground"})


def ask_model(agent, run):
    client = agent.sluice.client(agent.token, **{"X-Run-ID": run})
    answer = client.post("/v1/chat/completions", {"model": "playground", "messages": [{"role": "user", "content": "hi"}]})
    assert answer.status == 200, answer


def whole_run(payer, remote):
    """A run with every kind of entry that its first attempts leave: a model's call, payments, a refusal, an approval."""
    def turn(body):
        run = body["run_id"]
        ask_model(payer, run)
        payer.call(run, "POST", "bank", "/note", b"noted")
        payer.call(run, "DELETE", "bank", "/pay")
        return 200, {"response": str(payer.call(run, "POST", "bank", "/pay", b"one").status)}

    remote.answers["/"] = turn
    run = payer.start(invoke_url=remote.url + "/invoke", message="go")
    waiting = payer.eventually(lambda: payer.run(run), lambda now: now["status"] == "PAUSED_APPROVAL")
    payer.eventually(lambda: payer.events(run, "INVOKE_COMPLETED"), len)
    payer.approve(payer.action(run, waiting["blocked_action_id"]))
    ended = payer.eventually(lambda: payer.run(run), lambda now: now["status"] in ("COMPLETED", "FAILED"))
    assert ended["status"] == "COMPLETED", payer.events(run)
    return run


def test_each_era_reads_a_run_in_its_own_words(payer, remote):
    run = whole_run(payer, remote)
    older, current = payer.events(run), payer.api.get(f"/api/v1/runs/{run}/events").json
    assert [event["event_id"] for event in older] == [event["event_id"] for event in current]
    assert [event["seq"] for event in current] == list(range(1, len(current) + 1))
    types = {event["type"] for event in older}
    assert {"LLM_CALL", "APPROVAL_GRANTED", "TOOL_CALLED", "TOOL_REFUSED", "RESUMED", "COMPLETED"} <= types
    assert {event["type"] for event in current} <= PUBLISHED
    for before, now in zip(older, current):
        assert now.get("timeline_type", now["type"]) == before["type"] and "timeline_type" not in before
    approved, = [event for event in current if event["type"] == "APPROVED"]
    assert approved["timeline_type"] == "APPROVAL_GRANTED" and approved["data"]["approver_id"] == approved["actor"]
    granted, = [event for event in older if event["type"] == "APPROVAL_GRANTED"]
    assert granted["data"]["approver_id"] == approved["data"]["approver_id"]
    models = [event for event in current if event.get("timeline_type") == "LLM_CALL"]
    assert models[0]["type"] == "TOOL_CALLED" and models[0]["data"]["tool_id"] == "playground-llm"
    refused = [event for event in current if event.get("timeline_type") == "TOOL_REFUSED"]
    assert refused and refused[0]["type"] == "TOOL_RESPONSE" and refused[0]["data"]["message"]
    stream = payer.api.get(f"/api/v1/runs/{run}/events/stream").content.decode()
    assert [line.split(": ")[1] for line in stream.splitlines() if line.startswith("event: ")] == [
        *(event["type"] for event in current), "end"]


def test_a_repeated_call_says_which_call_it_is(payer, remote):
    run = whole_run(payer, remote)
    for path in (f"/runs/{run}/events", f"/api/v1/runs/{run}/events"):
        calls = [event for event in payer.api.get(path).json
                 if event["type"] == "TOOL_CALLED" and "timeline_type" not in event]
        repeated = [event for event in calls if event["data"].get("replayed")]
        assert repeated, calls
        first = {event["data"]["call_id"]: event["data"] for event in calls if not event["data"].get("replayed")}
        for event in repeated:
            said, original = event["data"], first[event["data"]["call_id"]]
            for name in ("tool_id", "tool_method", "tool_url", "payload_hash", "status_code"):
                assert said[name] == original[name], name
            assert event["payload_hash"] == original["payload_hash"]
    stream = payer.api.get(f"/runs/{run}/events/stream").content.decode()
    frames = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {\"event_id")]
    assert all(frame["data"]["tool_url"] for frame in frames if frame["data"].get("replayed") and frame["type"] == "TOOL_CALLED")


def test_types_of_the_current_era_choose_what_a_stream_shows(payer, remote):
    run = whole_run(payer, remote)
    stream = EventStream(payer.api, f"/api/v1/events/stream?run={run}&type=APPROVED", {"Last-Event-ID": "0"})
    assert next(stream).data["timeline_type"] == "APPROVAL_GRANTED"
    stream.close()


@pytest.mark.parametrize("result, status", [
    (BLOCKED, 403), (json.loads(BLOCKED), 403), (json.dumps({"error": "HTTP 403", "detail": BLOCKED}), 403),
    (json.dumps({"code": "CONSENT_REQUIRED"}), 403), (json.dumps({"error": "HTTP 502", "detail": "x"}), 502),
    (json.dumps({"paid": True}), None), ("no JSON", None), (json.dumps({"error": "HTTP 99"}), None),
    (json.dumps({"error": "HTTP 4033"}), None), (json.dumps(["HTTP 403"]), None), ("", None)],
    ids=["text", "object", "by the runtime", "consent", "unreachable", "success", "text alone", "no status", "too large",
         "array", "empty"])
@pytest.mark.parametrize("base", ["", "/api/v1"])
def test_the_result_of_a_call_that_was_blocked_has_its_status(sluice, api, run, base, result, status):
    agent = sluice.client(sluice.key("agent"))
    body = {"tool_id": "bank", "function_name": "pay", "result": result, "turn": 0}
    assert agent.post(f"/runs/{run['id']}/tool-result", body).status == 201
    shown, = api.get(f"{base}/runs/{run['id']}/events").json
    assert shown["type"] == "TOOL_RESPONSE" and shown["data"] == body | ({} if status is None else {"status_code": status})


def test_a_status_that_the_runtime_reports_stays(sluice, api, run):
    body = {"tool_id": "bank", "result": BLOCKED, "status_code": 418}
    assert sluice.client(sluice.key("agent")).post(f"/runs/{run['id']}/tool-result", body).status == 201
    assert api.get(f"/runs/{run['id']}/events").json[0]["data"] == body


# An invoke that is followed.

def frames(answer):
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream"), answer
    data = [line[6:] for line in answer.content.decode().splitlines() if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    return [json.loads(each) for each in data[:-1]]


@pytest.fixture
def elsewhere(sluice, api, remote):
    answer = api.post("/api/deploy", {"agent_name": "followed", "image": "i", "invoke_url": remote.url + "/invoke"})
    assert answer.status == 201
    return remote


PATHS = ["/api/agents/default/followed/invoke/stream", "/api/v1/agents/followed/invoke/stream",
         "/api/v1/workspaces/default/agents/followed/invoke/stream"]


@pytest.mark.parametrize("path", PATHS)
def test_an_invoke_is_followed_to_its_answer(api, elsewhere, path):
    made = [{"function": "pay", "arguments": "{}", "result": "x" * 2000}]
    elsewhere.answers["/"] = lambda body: (200, {"response": "well", "model": "m", "tool_calls_made": made})
    answer = api.post(path, {"message": "hi"})
    assert frames(answer) == [
        {"type": "tool_call", "tool": "pay", "arguments": "{}"}, {"type": "tool_result", "tool": "pay", "result": "x" * 1000},
        {"type": "content", "delta": "well"},
        {"type": "done", "model": "m", "tool_calls_made": made, "run_id": answer.headers["x-run-id"]}]
    assert int(answer.headers["sluice-position"]) > 0
    assert elsewhere.next_call()[2]["message"] == "hi"
    assert api.get(f"/runs/{answer.headers['x-run-id']}").json["status"] == "COMPLETED"


def test_a_failed_turn_ends_the_stream_with_its_error(api, elsewhere):
    elsewhere.answers["/"] = lambda body: (422, {"error": "no such invoice"})
    said = frames(api.post(PATHS[0], {"message": "hi"}))
    assert [each["type"] for each in said] == ["error"] and "no such invoice" in said[0]["message"]


@pytest.mark.parametrize("name, body, status", [
    ("nobody", {"message": "hi"}, 404), ("followed", {}, 400), ("image-alone", {"message": "hi"}, 409)])
def test_what_can_be_refused_is_refused_before_the_stream(api, elsewhere, name, body, status):
    assert api.post("/api/deploy", {"agent_name": "image-alone", "image": "i"}).status == 201
    for path in (f"/api/agents/default/{name}/invoke/stream", f"/api/v1/agents/{name}/invoke/stream"):
        answer = api.post(path, body)
        assert answer.status == status and answer.error, answer


def test_a_stream_without_a_place_starts_no_run(own_sluice, remote):
    sluice = own_sluice(SLUICE_STREAMS_MAX="1", SLUICE_PRINCIPAL_SHARE="100")
    api = sluice.client()
    answer = api.post("/api/deploy", {"agent_name": "followed", "image": "i", "invoke_url": remote.url + "/invoke"})
    assert answer.status == 201
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)) as follower:
        follower.request("GET", "/events/stream", headers={"Authorization": f"Bearer {ADMIN_KEY}"})
        assert follower.getresponse().status == 200
        refused = api.post("/api/v1/agents/followed/invoke/stream", {"message": "hi"})
        assert refused.status == 429 and refused.headers["sluice-error-code"] == "too_many_streams", refused
        assert api.get("/runs").json == []


def test_only_who_may_invoke_may_follow(sluice, elsewhere):
    for client in (sluice.client(None), sluice.client(sluice.key("viewer"))):
        assert client.post(PATHS[0], {"message": "hi"}).status in (401, 403)


def test_a_call_that_waits_for_an_approval_is_said_in_the_stream(payer, remote, server):
    answer = payer.api.post("/api/deploy", {
        "agent_name": "payer", "image": "i", "policies": ["payer-rules"], "invoke_url": remote.url + "/invoke"})
    assert answer.status == 201
    remote.answers["/"] = lambda body: (200, {"response": str([
        payer.call(body["run_id"], "GET", "bank", "/balance").status,
        payer.call(body["run_id"], "POST", "bank", "/pay", b"1").status])})
    answer = payer.api.post("/api/v1/agents/payer/invoke/stream", {"message": "pay", "user_id": "ada"})
    said, run = frames(answer), answer.headers["x-run-id"]
    action = payer.run(run)["blocked_action_id"]
    waiting, = [each for each in said if each["type"] == "approval_required"]
    assert waiting["tool"] == "bank"
    assert waiting["detail"] == {"code": "APPROVAL_REQUIRED", "action_id": action, "tool": "bank", "run_id": run}
    assert [each["type"] for each in said][-1] == "done"
    result, = [each for each in said if each["type"] == "tool_result"]
    assert (result["tool"], result["method"], result["status_code"]) == ("bank", "GET", 200)
