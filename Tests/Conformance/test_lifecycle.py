"""The complete lifecycle example of the Runs API, on the paths of both eras, with exact statuses and bodies."""

import re
import uuid

import pytest

HASH = "sha256:" + "ab" * 32
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def checked(document, *times):
    """The document without its times, each of which must be RFC 3339 UTC."""
    for name in times:
        assert TIME.fullmatch(document.pop(name)), name
    return document


@pytest.mark.parametrize("base, aliases", [("", True), ("/api/v1", False), ("/api/v1/workspaces/default", False)])
def test_the_documented_lifecycle_answers_exactly_as_documented(api, base, aliases):
    created = api.post(
        f"{base}/runs",
        {"agent_id": "billing", "user_id": "alice", "conversation_id": "conv-1", "namespace": "default"})
    assert created.status == 201
    run = checked(created.json, "created_at", "updated_at")
    run_id = run["id"]
    assert str(uuid.UUID(run_id)) == run_id
    expected = {
        "id": run_id, "conversation_id": "conv-1", "agent_id": "billing", "namespace": "default", "user_id": "alice",
        "status": "RUNNING"}
    assert run == expected | ({"agent": "billing", "blocked_actions": []} if aliases else {})
    path = f"{base}/runs/{run_id}"

    said = api.post(f"{path}/events", {"type": "USER_MESSAGE", "actor": "alice", "data": {"message": "pay invoice 7"}})
    assert said.status == 201
    event = checked(said.json, "timestamp", *(["created_at"] if aliases else []))
    event_id = event["event_id"]
    expected_event = {
        "event_id": event_id, "run_id": run_id, "seq": 1, "type": "USER_MESSAGE", "actor": "alice",
        "data": {"message": "pay invoice 7"}, "source": "client", "recorded_by": event["recorded_by"]}
    assert event == expected_event | (
        {"id": event_id, "sequence": 1, "message": "pay invoice 7"} if aliases else {})
    assert api.post(f"{path}/events", {"type": "TOOL_REQUEST", "payload_hash": HASH}).json["payload_hash"] == HASH

    blocked = api.post(
        f"{path}/actions", {"tool_id": "stripe", "capability": "POST /v1/charges", "payload_hash": HASH})
    assert blocked.status == 201
    action = checked(blocked.json, "created_at", "updated_at", "expires_at")
    action_id = action["action_id"]
    assert action == {
        "action_id": action_id, "run_id": run_id, "tool_id": "stripe", "capability": "POST /v1/charges",
        "payload_hash": HASH, "status": "BLOCKED"}
    paused = api.get(path).json
    assert (paused["status"], paused["blocked_action_id"]) == ("PAUSED_APPROVAL", action_id)
    if aliases:
        assert [each["action_id"] for each in paused["blocked_actions"]] == [action_id]
    else:
        assert "blocked_actions" not in paused

    second = api.post(f"{path}/actions", {"tool_id": "stripe"})
    assert (second.status, second.error) == (409, "run is PAUSED_APPROVAL, must be RUNNING to create actions")
    assert api.patch(path, {"status": "RUNNING"}).status == 409
    wrong = api.post(f"{path}/actions/{action_id}/approve", headers={"X-Payload-Hash": "sha256:" + "cd" * 32})
    assert (wrong.status, wrong.json) == (409, {"error": "payload_hash mismatch"})
    assert api.post(f"{path}/actions/{action_id}/approve").status == 409
    assert api.get(f"{path}/actions/{action_id}").json["status"] == "BLOCKED"

    approved = api.post(f"{path}/actions/{action_id}/approve", headers={"X-Payload-Hash": HASH})
    assert (approved.status, approved.json["status"]) == (200, "APPROVED")
    again = api.post(f"{path}/actions/{action_id}/approve", headers={"X-Payload-Hash": HASH})
    assert (again.status, again.error) == (409, "action is APPROVED, must be BLOCKED to approve")
    resumed = api.get(path).json
    assert resumed["status"] == "RUNNING" and "blocked_action_id" not in resumed

    done = api.patch(path, {"status": "COMPLETED"})
    assert (done.status, done.json["status"]) == (200, "COMPLETED")
    back = api.patch(path, {"status": "RUNNING"})
    assert (back.status, back.json) == (409, {"error": "invalid transition from COMPLETED to RUNNING"})

    events = api.get(f"{path}/events").json
    assert [(each["seq"], each["type"]) for each in events] == [
        (1, "USER_MESSAGE"), (2, "TOOL_REQUEST"), (3, "APPROVAL_REQUIRED"), (4, "APPROVED")]
    page = api.get(f"{path}/events?after_seq=1&limit=2").json
    assert [each["seq"] for each in page] == [2, 3]


def test_both_eras_see_one_run(api, run):
    old, new = api.get(f"/runs/{run['id']}").json, api.get(f"/api/v1/runs/{run['id']}").json
    assert {name: old[name] for name in new} == new


def test_every_answer_to_a_mutation_names_its_position_and_the_next_read_sees_it(api):
    position = 0
    for _ in range(20):
        answer = api.post("/runs", {"agent_id": "a", "user_id": "u"})
        assert int(answer.headers["sluice-position"]) > position
        position = int(answer.headers["sluice-position"])
        assert api.get(f"/runs/{answer.json['id']}").status == 200


def test_runs_are_listed_by_filter_and_only_running_ones_without(api):
    agent = f"agent-{uuid.uuid4()}"
    first, second = (api.post("/runs", {"agent_id": agent, "user_id": "u"}).json["id"] for _ in range(2))
    api.patch(f"/runs/{first}", {"status": "COMPLETED"})
    listed = {each["id"] for each in api.get("/runs").json}
    assert second in listed and first not in listed
    assert {each["id"] for each in api.get(f"/runs?agent_id={agent}").json} == {first, second}
    assert {each["id"] for each in api.get(f"/runs?agent={agent}").json} == {first, second}
    assert [each["id"] for each in api.get(f"/runs?agent_id={agent}&status=COMPLETED").json] == [first]


def test_a_cancelled_run_is_failed_with_that_reason_for_ever(api, run):
    cancelled = api.post(f"/runs/{run['id']}/cancel")
    assert cancelled.status == 200
    assert (cancelled.json["status"], cancelled.json["reason"]) == ("FAILED", "cancelled")
    assert api.patch(f"/runs/{run['id']}", {"status": "RUNNING"}).status == 409


def test_rejecting_the_action_fails_the_run(api, run):
    action = api.post(f"/runs/{run['id']}/actions", {"tool_id": "t"}).json["action_id"]
    rejected = api.post(f"/runs/{run['id']}/actions/{action}/reject", {"reason": "not today"})
    assert (rejected.status, rejected.json["status"]) == (200, "REJECTED")
    assert api.get(f"/runs/{run['id']}").json["status"] == "FAILED"
    assert [each["type"] for each in api.get(f"/runs/{run['id']}/events").json][:2] == ["APPROVAL_REQUIRED", "REJECTED"]


def test_a_run_its_client_paused_may_be_set_running_again(api, run):
    for status in ["PAUSED_CONSENT", "RUNNING", "PAUSED_APPROVAL", "RUNNING", "FAILED"]:
        assert api.patch(f"/runs/{run['id']}", {"status": status}).json["status"] == status
