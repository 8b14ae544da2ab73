"""Runs that Sluice drives: dispatched, retried, resumed, timed out, cancelled - and driven on after a crash."""

import threading

import pytest

from event_stream import EventStream
from scripted_agent import ScriptedAgent

FAST = {"SLUICE_INVOKE_BACKOFF_MIN": "50ms", "SLUICE_INVOKE_BACKOFF_MAX": "200ms", "SLUICE_HEARTBEAT": "1s"}
HASH = "sha256:" + "ab" * 32


@pytest.fixture
def agent():
    agent = ScriptedAgent()
    agent.answers["/"] = lambda body: (200, {"message": "done"})
    yield agent
    agent.close()


def start(api, agent, **more):
    answer = api.post("/runs", {
        "agent_id": "billing", "user_id": "alice", "invoke_url": agent.url + "/invoke", "message": "pay"} | more)
    assert answer.status == 201, answer
    return answer.json["id"]


def until_end(api, run):
    """Waits for the run's end; returns the run and the types of its events."""
    events = [each for each in EventStream(api, f"/runs/{run}/events/stream", timeout=60)]
    assert events[-1].type == "end"
    return api.get(f"/runs/{run}").json, [each.type for each in events[:-1]]


def blocking(api):
    """An agent that asks for an approval and answers that it waits."""
    def answer(body):
        action = api().post(f"/runs/{body['run_id']}/actions", {"tool_id": "stripe", "payload_hash": HASH}).json
        return 200, {"approval_required": {"action_id": action["action_id"]}}
    return answer


def approve(api, run):
    action = api.get(f"/runs/{run}").json["blocked_action_id"]
    answer = api.post(f"/runs/{run}/actions/{action}/approve", headers={"X-Payload-Hash": HASH})
    assert answer.status == 200, answer
    return action


def wait_for(api, run, event_type):
    for event in EventStream(api, f"/runs/{run}/events/stream", timeout=60):
        if event.type == event_type:
            return event.data
    raise AssertionError(f"{event_type} never came")


def test_a_run_is_dispatched_with_its_identity_and_completes(own_sluice, agent):
    api = own_sluice(**FAST).client()
    run = start(api, agent, conversation_id="conv-1")
    path, headers, body = agent.next_call()
    assert path == "/invoke"
    assert headers["x-run-id"] == run and headers["x-end-user-id"] == "alice"
    assert headers["x-request-id"] == f"req-{run}-1" and headers["idempotency-key"] == f"req-{run}-start"
    assert {name: body[name] for name in ("message", "run_id", "user_id", "conversation_id", "history")} == {
        "message": "pay", "run_id": run, "user_id": "alice", "conversation_id": "conv-1", "history": []}
    done, types = until_end(api, run)
    assert done["status"] == "COMPLETED"
    assert types == ["RUN_CREATED", "INVOKE_REQUESTED", "INVOKE_COMPLETED", "COMPLETED"]


def test_an_agent_that_fails_is_tried_again_under_the_same_idempotency_key(own_sluice, agent):
    answers = iter([(503, {}), (500, {}), (200, {"message": "ok"})])
    agent.answers["/"] = lambda body: next(answers)
    api = own_sluice(**FAST).client()
    run = start(api, agent)
    done, types = until_end(api, run)
    assert done["status"] == "COMPLETED"
    assert types == ["RUN_CREATED"] + ["INVOKE_REQUESTED", "INVOKE_FAILED"] * 2 + [
        "INVOKE_REQUESTED", "INVOKE_COMPLETED", "COMPLETED"]
    calls = [agent.next_call()[1] for _ in range(3)]
    assert {call["idempotency-key"] for call in calls} == {f"req-{run}-start"}
    assert [call["x-request-id"] for call in calls] == [f"req-{run}-{number}" for number in (1, 2, 3)]
    assert [call["x-attempt"] for call in calls] == ["1", "2", "3"]


@pytest.mark.parametrize("status, attempts", [(500, 3), (400, 1)])
def test_attempts_end_at_the_limit_and_at_errors_that_stay(own_sluice, agent, status, attempts):
    agent.answers["/"] = lambda body: (status, {"error": "no"})
    api = own_sluice(SLUICE_INVOKE_ATTEMPTS_MAX="3", **FAST).client()
    run = start(api, agent)
    done, types = until_end(api, run)
    assert done["status"] == "FAILED" and str(status) in done["reason"]
    assert types.count("INVOKE_REQUESTED") == types.count("INVOKE_FAILED") == attempts
    assert agent.calls.qsize() == attempts


def test_an_agent_that_cannot_be_reached_fails_the_run_after_its_attempts(own_sluice, agent):
    agent.close()
    api = own_sluice(SLUICE_INVOKE_ATTEMPTS_MAX="2", **FAST).client()
    done, types = until_end(api, start(api, agent))
    assert done["status"] == "FAILED" and types.count("INVOKE_FAILED") == 2


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_agent_that_is_too_slow_counts_as_failed(own_sluice, agent, part):
    release = threading.Event()

    def slow(body):
        release.wait(60)
        return 200, {}

    agent.answers["/"] = slow
    api = own_sluice(SLUICE_INVOKE_ATTEMPTS_MAX="1", SLUICE_INVOKE_TIMEOUT="300ms", **FAST).client()
    if part == "body":
        handler = agent.server.RequestHandlerClass

        def send_half(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
            release.wait(60)

        handler.do_POST = send_half
    done, types = until_end(api, start(api, agent))
    release.set()
    assert done["status"] == "FAILED" and "INVOKE_FAILED" in types


def test_an_approved_action_is_resumed_and_executed(own_sluice, agent):
    sluice = own_sluice(**FAST)
    api = sluice.client()
    agent.answers = {"/resume": lambda body: (200, {"message": "paid"}), "/": blocking(sluice.client)}
    run = start(api, agent)
    wait_for(api, run, "INVOKE_COMPLETED")
    action = approve(api, run)
    done, types = until_end(api, run)
    assert done["status"] == "COMPLETED"
    assert api.get(f"/runs/{run}/actions/{action}").json["status"] == "EXECUTED"
    assert types == [
        "RUN_CREATED", "INVOKE_REQUESTED", "APPROVAL_REQUIRED", "INVOKE_COMPLETED", "APPROVAL_GRANTED", "RESUMED",
        "INVOKE_REQUESTED", "INVOKE_COMPLETED", "COMPLETED"]
    agent.next_call()
    path, headers, body = agent.next_call()
    assert path == f"/resume/{action}" and body["approved"] is True
    assert headers["x-action-id"] == action and headers["x-request-id"] == f"req-{run}-2"
    assert agent.calls.empty()


def test_a_rejected_action_fails_the_run_without_a_resume(own_sluice, agent):
    sluice = own_sluice(**FAST)
    api = sluice.client()
    agent.answers = {"/": blocking(sluice.client)}
    run = start(api, agent)
    wait_for(api, run, "INVOKE_COMPLETED")
    action = api.get(f"/runs/{run}").json["blocked_action_id"]
    api.post(f"/runs/{run}/actions/{action}/reject", {"reason": "no"})
    done, types = until_end(api, run)
    assert done["status"] == "FAILED" and types[-2:] == ["APPROVAL_REJECTED", "FAILED"]
    assert agent.calls.qsize() == 1


def test_an_approval_nobody_gives_expires_and_fails_the_run(own_sluice, agent):
    api = own_sluice(SLUICE_APPROVAL_WINDOW="200ms", **FAST).client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    action = api.post(f"/runs/{run}/actions", {"tool_id": "t"}).json["action_id"]
    until_end(api, run)
    assert api.get(f"/runs/{run}/actions/{action}").json["status"] == "EXPIRED"
    assert "expired" in api.get(f"/runs/{run}").json["reason"]
    assert api.post(f"/runs/{run}/actions/{action}/approve").status == 409


def test_a_run_that_takes_too_long_times_out_also_when_the_deadline_passes_while_the_daemon_is_down(own_sluice):
    sluice = own_sluice(SLUICE_RUN_TIMEOUT="1s", **FAST)
    api = sluice.client()
    runs = [api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"] for _ in range(2)]
    api.post(f"/runs/{runs[1]}/actions", {"tool_id": "t"})
    sluice.restart()
    for run in runs:
        until_end(api, run)
        assert api.get(f"/runs/{run}").json["reason"] == "the run timed out"


def test_cancel_breaks_off_the_call_in_flight(own_sluice, agent):
    release = threading.Event()
    agent.answers["/"] = lambda body: (release.wait(60), (200, {}))[1]
    api = own_sluice(SLUICE_AGENT_CONCURRENCY="1", **FAST).client()
    first, second = start(api, agent), start(api, agent)
    assert agent.next_call()[1]["x-run-id"] == first
    assert api.post(f"/runs/{first}/cancel").json["reason"] == "cancelled"
    assert agent.next_call()[1]["x-run-id"] == second, "the cancelled run's place is free again"
    release.set()
    done, _ = until_end(api, second)
    assert done["status"] == "COMPLETED"
    assert api.get(f"/runs/{first}").json["status"] == "FAILED"


def test_one_agent_never_has_more_calls_than_its_limit(own_sluice, agent):
    lock, open_calls, most, turn = threading.Lock(), [0], [0], threading.Semaphore(0)

    def answer(body):
        with lock:
            open_calls[0] += 1
            most[0] = max(most[0], open_calls[0])
        turn.acquire(timeout=60)
        with lock:
            open_calls[0] -= 1
        return 200, {}

    agent.answers["/"] = answer
    api = own_sluice(SLUICE_AGENT_CONCURRENCY="2", **FAST).client()
    runs = [start(api, agent) for _ in range(20)]
    for number in range(20):
        # Two calls are held open all along; each that is let go makes room for one more.
        agent.next_call()
        if number >= 1:
            turn.release()
    turn.release()
    assert all(until_end(api, run)[0]["status"] == "COMPLETED" for run in runs)
    assert most[0] <= 2


class TestAfterACrash:
    """Killed at each point of a run's life, the daemon drives it on at its next start."""

    def test_while_the_agent_works(self, own_sluice, agent):
        sluice = own_sluice(**FAST)
        api = sluice.client()
        release = threading.Event()
        agent.answers["/"] = lambda body: (release.wait(60), (200, {}))[1]
        run = start(api, agent)
        agent.next_call()
        sluice.kill()
        release.set()
        agent.answers["/"] = lambda body: (200, {})
        sluice.start()
        done, types = until_end(api, run)
        assert done["status"] == "COMPLETED"
        assert types == ["RUN_CREATED", "INVOKE_REQUESTED", "INVOKE_FAILED", "INVOKE_REQUESTED", "INVOKE_COMPLETED",
                         "COMPLETED"]
        assert agent.next_call()[1]["x-attempt"] == "2"

    def test_before_the_first_dispatch_and_between_attempts(self, own_sluice, agent):
        agent.answers["/"] = lambda body: (503, {})
        sluice = own_sluice(**FAST | {"SLUICE_INVOKE_BACKOFF_MIN": "1s", "SLUICE_INVOKE_BACKOFF_MAX": "1s"})
        api = sluice.client()
        run = start(api, agent)
        wait_for(api, run, "INVOKE_FAILED")
        agent.answers["/"] = lambda body: (200, {})
        sluice.restart()
        assert until_end(api, run)[0]["status"] == "COMPLETED"
        sluice.kill()
        sluice.start()
        second = start(api, agent)
        sluice.restart()
        assert until_end(api, second)[0]["status"] == "COMPLETED"

    def test_while_an_approval_is_awaited_and_right_after_it(self, own_sluice, agent):
        sluice = own_sluice(**FAST)
        api = sluice.client()
        agent.answers = {"/resume": lambda body: (200, {}), "/": blocking(sluice.client)}
        run = start(api, agent)
        wait_for(api, run, "INVOKE_COMPLETED")
        sluice.restart()
        assert api.get(f"/runs/{run}").json["status"] == "PAUSED_APPROVAL"
        action = approve(api, run)
        sluice.restart()
        done, _ = until_end(api, run)
        assert done["status"] == "COMPLETED"
        assert api.get(f"/runs/{run}/actions/{action}").json["status"] == "EXECUTED"

    def test_while_the_resume_is_in_flight(self, own_sluice, agent):
        sluice = own_sluice(**FAST)
        api = sluice.client()
        release = threading.Event()
        agent.answers = {
            "/resume": lambda body: (release.wait(60), (200, {}))[1], "/": blocking(sluice.client)}
        run = start(api, agent)
        wait_for(api, run, "INVOKE_COMPLETED")
        action = approve(api, run)
        agent.next_call()
        first = agent.next_call()
        assert first[0] == f"/resume/{action}"
        sluice.kill()
        release.set()
        sluice.start()
        done, types = until_end(api, run)
        assert done["status"] == "COMPLETED" and types.count("INVOKE_FAILED") == 1
        second = agent.next_call()
        assert second[0] == first[0] and second[1]["idempotency-key"] == first[1]["idempotency-key"]
        assert [call[1]["x-request-id"] for call in (first, second)] == [f"req-{run}-2", f"req-{run}-3"]

    def test_while_the_agent_blocks_within_its_call(self, own_sluice, agent):
        sluice = own_sluice(**FAST)
        api = sluice.client()
        blocked, release = threading.Event(), threading.Event()

        def block_and_hang(body):
            blocking(sluice.client)(body)
            blocked.set()
            release.wait(60)
            return 200, {}

        agent.answers = {"/resume": lambda body: (200, {}), "/": block_and_hang}
        run = start(api, agent)
        assert blocked.wait(30)
        sluice.kill()
        release.set()
        agent.answers["/"] = lambda body: (200, {})
        sluice.start()
        # An attempt that ends while it waits for a decision has not failed.
        assert wait_for(api, run, "INVOKE_COMPLETED")["data"]["outcome"] == "awaitingApproval"
        approve(api, run)
        assert until_end(api, run)[0]["status"] == "COMPLETED"
