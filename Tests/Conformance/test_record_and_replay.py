"""A run is recorded and replayed: whatever the order of its calls, and whatever ends an attempt, each payment reaches its
tool once, and a run that waits for a decision performs nothing."""

import threading

import pytest

from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from test_egress_recovery import FAST, HANDLER, approve_blocked, payer, process_agent

THREADS = HANDLER + """
import concurrent.futures, contextvars, random

def together(*calls):
    order = random.sample(range(len(calls)), len(calls))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        done = {index: pool.submit(contextvars.copy_context().run, call, *calls[index]) for index in order}
    return [done[index].result() for index in range(len(calls))]
"""


@pytest.fixture
def tool():
    tool = ScriptedTool()
    tool.answer = lambda call: (200, [], call.body or b"read")
    yield tool
    tool.close()


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


def paid(tool):
    return sorted(call.body for call in tool.calls if call.method == "POST")


def assert_keys_differ(tool):
    keys = [key for call in tool.calls if call.method == "POST" for key in call.header("idempotency-key")]
    assert len(set(keys)) == len(keys) == len(paid(tool)), keys


def begin(agent, remote, answer):
    """A run whose agent does `answer(run, attempt)` at each call, counted from 1."""
    attempts = []

    def turn(body):
        attempts.append(body["run_id"])
        return answer(body["run_id"], len(attempts))

    remote.answers["/"] = turn
    return agent.start(invoke_url=remote.url + "/invoke", message="go")


def pay(agent, run, attempt, target, body):
    return agent.call(run, "POST", "bank", target, body, [("X-Request-Id", f"req-{run}-{attempt}")])


def approve_next(agent, run):
    waiting = agent.eventually(lambda: agent.run(run), lambda run: run["status"] == "PAUSED_APPROVAL")
    agent.approve(agent.action(run, waiting["blocked_action_id"]))


def ended(agent, run):
    return agent.eventually(lambda: agent.run(run), lambda run: run["status"] in ("COMPLETED", "FAILED"))


@pytest.mark.parametrize("same", [False, True])
def test_twelve_payments_from_six_threads_are_made_once_each(own_sluice, tool, same):
    body = 'b"the same"' if same else 'b"payee %d" % number'
    agents = process_agent(own_sluice(**FAST), tool, THREADS + f"""
def steps(request):
    yield from together(*[("POST", "/free/pay", {body}) for number in range(12)])
    yield call("POST", "/pay", b"approved")
""")
    run = agents.start("payer")
    approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    wanted = [b"the same"] * 12 if same else [b"payee %d" % number for number in range(12)]
    assert paid(tool) == sorted([*wanted, b"approved"])
    assert_keys_differ(tool)


def test_a_handler_that_polls_once_less_pays_nobody_again(own_sluice, tool):
    agents = process_agent(own_sluice(**FAST), tool, HANDLER + """
def steps(request):
    for _ in range(1 if request.get("resume") else 2):
        yield call("GET", "/account")
    yield call("POST", "/free/pay", b"first")
    yield call("POST", "/pay", b"second")
""")
    run = agents.start("payer")
    approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert paid(tool) == [b"first", b"second"]


def test_two_calls_blocked_in_parallel_are_decided_in_any_order_and_made_once(own_sluice, tool):
    agents = process_agent(own_sluice(**FAST), tool, THREADS + """
def steps(request):
    yield from together(("POST", "/pay", b"one"), ("POST", "/pay", b"two"))
""")
    run = agents.start("payer")
    actions = agents.eventually(
        lambda: agents.api.get(f"/runs/{run}/actions").json,
        lambda actions: len([each for each in actions if each["status"] == "BLOCKED"]) == 2)
    approver = agents.sluice.client(agents.sluice.key("approver"))
    for action in reversed(actions):
        assert not paid(tool)
        assert approver.post(
            f"/runs/{run}/actions/{action['action_id']}/approve",
            headers={"X-Payload-Hash": action["payload_hash"]}).status == 200
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert paid(tool) == [b"one", b"two"]


def test_a_process_that_misses_its_timeout_is_ended_and_its_payment_made_once(own_sluice, tool):
    agents = process_agent(own_sluice(SLUICE_INVOKE_TIMEOUT="3s", **FAST), tool, HANDLER + """
def steps(request):
    if request["request_id"].endswith("-1"):
        time.sleep(6)
    yield call("POST", "/free/pay", b"once")
""")
    run = agents.start("payer")
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert [event["type"] for event in agents.events(run)].count("INVOKE_FAILED") == 1
    # The first handler would pay by now, if it still ran.
    run = agents.start("payer")
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert paid(tool) == [b"once"] * 2


def test_a_remote_agent_that_goes_on_after_its_timeout_is_refused(own_sluice, tool, remote):
    agent = payer(own_sluice(SLUICE_INVOKE_TIMEOUT="1s", **FAST), tool)
    second, late = threading.Event(), []

    def answer(run, attempt):
        if attempt == 1:
            second.wait(60)
        answered = pay(agent, run, attempt, "/free/pay", b"once")
        if attempt == 1:
            late.append((answered, agent.call(
                run, "GET", "bank", "/account", None, [("X-Request-Id", f"req-{run}-1")])))
        else:
            second.set()
            agent.eventually(lambda: late, bool)
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert [(each.status, each.code) for each in late[0]] == [(409, "ATTEMPT_SUPERSEDED")] * 2
    assert paid(tool) == [b"once"]
    assert [remote.next_call()[1]["x-request-id"] for _ in range(2)] == [f"req-{run}-1", f"req-{run}-2"]


def test_an_agent_that_swallows_the_refusal_is_called_again_once_it_is_approved(own_sluice, tool, remote):
    agent = payer(own_sluice(**FAST), tool)
    run = begin(agent, remote, lambda run, attempt: (
        200, {"response": str(pay(agent, run, attempt, "/pay", b"once").status)}))
    approve_next(agent, run)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert paid(tool) == [b"once"]
    assert [remote.next_call()[0] for _ in range(2)] == ["/invoke", "/invoke"]


def test_an_agent_that_never_makes_the_approved_call_fails_and_says_why(own_sluice, tool, remote):
    agent = payer(own_sluice(SLUICE_INVOKE_ATTEMPTS_MAX="3", **FAST), tool)

    def answer(run, attempt):
        if attempt == 1:
            pay(agent, run, attempt, "/pay", b"never")
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    approve_next(agent, run)
    done = ended(agent, run)
    assert done["status"] == "FAILED" and "APPROVAL_REQUIRED" in done["reason"], done
    assert not paid(tool) and remote.calls.qsize() == 4


@pytest.mark.parametrize("status", [404, 410, 501])
def test_an_agent_that_does_not_know_its_checkpoint_is_begun_again(own_sluice, tool, remote, status):
    sluice = own_sluice(**FAST)
    agent = payer(sluice, tool)

    def answer(run, attempt):
        answered = agent.call(run, "POST", "bank", "/pay", b"once")
        if attempt == 1:
            assert sluice.client().post(f"/runs/{run}/checkpoint", {
                "action_id": answered.json["action_id"], "messages": [], "pending_calls": []}).status == 201
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    remote.answers = {"/resume": lambda body: (status, {"error": "unknown checkpoint"}), **remote.answers}
    approve_next(agent, run)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert paid(tool) == [b"once"]


def test_the_same_call_while_it_waits_is_the_same_request(own_sluice, tool, remote):
    agent, answers = payer(own_sluice(**FAST), tool), []

    def answer(run, attempt):
        if attempt == 1:
            answers.extend(pay(agent, run, attempt, "/pay", b"once") for _ in range(19))
        else:
            pay(agent, run, attempt, "/pay", b"once")
        return 200, {"response": "waiting"}

    run = begin(agent, remote, answer)
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "PAUSED_APPROVAL")
    agent.eventually(lambda: len(answers), lambda count: count == 19)
    assert {(each.status, each.code) for each in answers} == {(403, "APPROVAL_REQUIRED")}
    for name in ("action_id", "request_id", "payload_hash"):
        assert len({each.json[name] for each in answers}) == 1
    assert len(agent.requests(run)) == 1
    approve_next(agent, run)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert paid(tool) == [b"once"]


def test_a_run_that_waits_performs_nothing_else(own_sluice, tool, remote):
    agent, first = payer(own_sluice(**FAST), tool), []

    def answer(run, attempt):
        answers = [pay(agent, run, attempt, target, body) for target, body in (
            ("/pay", b"asked"), ("/free/pay", b"allowed"), ("/keyed", b"keyed"))]
        if attempt == 1:
            first.extend([*answers, agent.call(run, "GET", "bank", "/account")])
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    agent.eventually(lambda: len(first), lambda count: count == 4)
    assert [each.status for each in first] == [403, 403, 403, 200]
    assert len({each.json["action_id"] for each in first[:3]}) == 1 and not paid(tool)
    approve_next(agent, run)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert paid(tool) == [b"allowed", b"asked", b"keyed"]


def test_an_attempt_that_ends_in_an_error_while_it_waits_is_none_that_failed(own_sluice, tool, remote):
    agent = payer(own_sluice(**FAST), tool)

    def answer(run, attempt):
        for number in range(8):
            if pay(agent, run, attempt, "/pay", b"%d" % number).status == 403:
                return 500, {"error": "not allowed"}
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    for _ in range(8):
        approve_next(agent, run)
        agent.eventually(lambda: agent.run(run)["status"], lambda status: status != "RUNNING")
    assert ended(agent, run)["status"] == "COMPLETED"
    assert paid(tool) == [b"%d" % number for number in range(8)]
    assert not agent.events(run, "INVOKE_FAILED")
    assert_keys_differ(tool)


def test_a_killed_daemon_goes_on_with_the_same_occurrences(own_sluice, tool):
    sluice = own_sluice(**FAST)
    agents = process_agent(sluice, tool, THREADS + """
def steps(request):
    yield from together(*[("POST", "/free/pay", b"like") for _ in range(5)])
    yield call("POST", "/pay", b"approved")
    yield call("POST", "/free/pay", b"like")
""")
    run = agents.start("payer")
    agents.eventually(lambda: agents.events(run), lambda events: any(
        event["type"] == "INVOKE_COMPLETED" for event in events))
    sluice.kill()
    sluice.start()
    approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert paid(tool) == [b"approved"] + [b"like"] * 6
    assert_keys_differ(tool)
