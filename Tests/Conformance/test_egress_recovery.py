"""Calls of tools through crashes, timeouts and repeated turns: none is made twice unless that is known to be harmless,
or a person says so."""

import os
import signal
import threading

import pytest

from deployed_agents import DeployedAgents
from governed_agent import GovernedAgent, store_tool
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from test_agents_run import processes

FAST = {"SLUICE_INVOKE_BACKOFF_MIN": "50ms", "SLUICE_INVOKE_BACKOFF_MAX": "200ms"}
NOBODY_KNOWS = "nobody knows whether the tool carried it out"
CAPABILITIES = [{"method": "*", "path": "/*"}, {"method": "PUT", "path": "/set", "idempotent": True},
                {"method": "POST", "path": "/keyed", "idempotencyKey": True}]

HANDLER = """
import os, time, urllib.error, urllib.request

def call(method, path, body=None):
    request = urllib.request.Request(os.environ["TOOL_URL_BANK"] + path, data=body, method=method)
    return urllib.request.urlopen(request).read().decode()

def handler(request, context=None):
    try:
        return {"response": " ".join(steps(request))}
    except urllib.error.HTTPError as error:
        if error.code != 403:
            raise
        return {"response": "waiting"}
"""
PAYING = HANDLER + """
def steps(request):
    yield call("GET", "/account")
    yield call("POST", "/free/note", b"noted")
    yield call("POST", "/pay", b"paid")
"""


@pytest.fixture
def tool():
    """A tool that answers each call with its number."""
    tool = ScriptedTool()
    tool.answer = lambda call: (200, [], str(len(tool.calls)).encode())
    yield tool
    tool.close()


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


def payer(sluice, tool, connection=None, **deploy):
    store_tool(sluice, "bank", tool.url, connection, {"capabilities": CAPABILITIES})
    return GovernedAgent(sluice, "payer", [
        ("approval_required", ["POST"], tool.url + "/pay*"), ("allow", ["*"], tool.url + "/account*"),
        ("allow", ["*"], tool.url + "/free*"), ("allow", ["*"], tool.url + "/set"),
        ("allow", ["*"], tool.url + "/keyed")], required_tools=["bank"], **deploy)


def hanging(tool, go_on):
    """The tool's first call hangs until `go_on`; the others are answered."""
    def answer(call):
        if len(tool.calls) == 1:
            go_on.wait(60)
        return 200, [], b"done"
    return answer


def sent(tool):
    return [(call.method, call.target) for call in tool.calls]


def ask_nobody_knows(agent, run, method, target, body):
    answer = agent.call(run, method, "bank", target, body)
    assert (answer.status, answer.code) == (403, "APPROVAL_REQUIRED") and NOBODY_KNOWS in answer.json["error"]
    assert agent.run(run)["status"] == "PAUSED_APPROVAL"
    return agent.action(run, answer.json["action_id"])


def assert_made_once_more_under_the_same_key(agent, tool, run, method, target, body):
    """What nobody knows of is asked about, and goes out again with the approval, as the same call."""
    action = ask_nobody_knows(agent, run, method, target, body)
    assert len(tool.calls) == 1
    agent.approve(action)
    assert agent.call(run, method, "bank", target, body).status == 200
    first, second = tool.calls
    assert first.body == second.body == body
    assert first.header("idempotency-key") == second.header("idempotency-key") != []
    assert agent.action(run, action["action_id"])["status"] == "EXECUTED"
    assert agent.call(run, method, "bank", target, body).status == 200
    assert tool.calls[2].header("idempotency-key") != second.header("idempotency-key"), "that is another call"


def test_a_post_that_took_too_long_is_made_again_only_when_a_person_says_so(own_sluice, tool):
    agent, go_on = payer(own_sluice(SLUICE_EGRESS_TIMEOUT="1s"), tool), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agent.start()
    answer = agent.call(run, "POST", "bank", "/free/x", b"{}")
    assert (answer.status, answer.code) == (504, "TOOL_BROKE_OFF")
    assert agent.events(run, "TOOL_CALLED")[0]["data"]["outcome"] == "unknown"
    assert_made_once_more_under_the_same_key(agent, tool, run, "POST", "/free/x", b"{}")
    go_on.set()


REPEATABLE = [("GET", "/account", None), ("PUT", "/set", b"{}"), ("POST", "/keyed", b"{}")]


@pytest.mark.parametrize("method, target, body", REPEATABLE)
def test_a_call_that_may_be_repeated_is_simply_made_again(own_sluice, tool, method, target, body):
    agent, go_on = payer(own_sluice(), tool, {"timeout": "1s"}), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agent.start()
    assert agent.call(run, method, "bank", target, body).status == 504
    assert agent.call(run, method, "bank", target, body).status == 200
    first, second = tool.calls
    assert first.header("idempotency-key") == second.header("idempotency-key")
    go_on.set()


def test_an_answer_that_breaks_off_is_no_answer(own_sluice, tool):
    agent = payer(own_sluice(), tool)

    def broken(call):
        if len(tool.calls) == 1:
            return 200, [("Content-Length", "1000")], iter([b"part"])
        return 200, [], b"done"

    tool.answer = broken
    run = agent.start()
    assert agent.call(run, "POST", "bank", "/free/x", b"{}").status == 502
    assert_made_once_more_under_the_same_key(agent, tool, run, "POST", "/free/x", b"{}")


def test_an_answer_that_never_ends_is_no_answer(own_sluice, tool):
    agent, go_on = payer(own_sluice(SLUICE_EGRESS_TIMEOUT="1s"), tool), threading.Event()

    def part():
        yield b"part"
        go_on.wait(60)

    tool.answer = lambda call: (200, [], part() if len(tool.calls) == 1 else b"done")
    run = agent.start()
    assert agent.call(run, "POST", "bank", "/free/x", b"{}").status == 502
    assert_made_once_more_under_the_same_key(agent, tool, run, "POST", "/free/x", b"{}")
    go_on.set()


def test_two_calls_alike_are_made_one_after_the_other_and_are_two(own_sluice, tool):
    agent, together, answers = payer(own_sluice(), tool), [], []
    lock, inside = threading.Lock(), []

    def answer(call):
        with lock:
            inside.append(call)
            together.append(len(inside))
        threading.Event().wait(0.2)
        with lock:
            inside.remove(call)
        return 200, [], b"done"

    tool.answer = answer
    run = agent.start()
    threads = [threading.Thread(target=lambda: answers.append(
        agent.call(run, "POST", "bank", "/free/x", b"{}").status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 3 and together == [1] * 3
    assert len({key for call in tool.calls for key in call.header("idempotency-key")}) == 3


def test_a_call_that_does_not_end_holds_up_only_calls_like_it(own_sluice, tool):
    agent, go_on = payer(own_sluice(), tool, {"timeout": "1s"}), threading.Event()

    def answer(call):
        if call.target == "/free/slow":
            go_on.wait(60)
        return 200, [], b"done"

    tool.answer = answer
    run = agent.start()
    slow = threading.Thread(target=lambda: agent.call(run, "POST", "bank", "/free/slow", b"{}"))
    slow.start()
    tool.await_call()
    for body in (b"1", b"2", b"3"):
        assert agent.call(run, "POST", "bank", "/free/x", body).status == 200
    slow.join()
    go_on.set()


@pytest.mark.parametrize("method, target, body", [("POST", "/free/x", b"{}"), *REPEATABLE])
def test_a_daemon_killed_while_a_call_is_on_its_way_does_not_repeat_it_unasked(own_sluice, tool, method, target, body):
    sluice = own_sluice()
    agent, go_on = payer(sluice, tool), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agent.start()

    def call():
        with pytest.raises(OSError):
            agent.call(run, method, "bank", target, body)

    caller = threading.Thread(target=call)
    caller.start()
    tool.await_call()
    sluice.kill()
    caller.join()
    go_on.set()
    sluice.start()
    assert sent(tool) == [(method, target)]
    if target != "/free/x":
        assert agent.call(run, method, "bank", target, body).status == 200
        assert tool.calls[0].header("idempotency-key") == tool.calls[1].header("idempotency-key")
    else:
        assert agent.events(run, "TOOL_CALLED")
        assert_made_once_more_under_the_same_key(agent, tool, run, method, target, body)


def test_an_approved_call_cut_off_by_a_crash_needs_a_second_approval(own_sluice, tool):
    sluice = own_sluice()
    agent, go_on = payer(sluice, tool), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agent.start()
    first = agent.blocked(run, "POST", "bank", "/pay", b"{}")
    agent.approve(first)

    def call():
        with pytest.raises(OSError):
            agent.call(run, "POST", "bank", "/pay", b"{}")

    caller = threading.Thread(target=call)
    caller.start()
    tool.await_call()
    sluice.kill()
    caller.join()
    go_on.set()
    sluice.start()
    second = ask_nobody_knows(agent, run, "POST", "/pay", b"{}")
    assert agent.action(run, first["action_id"])["status"] == "FAILED"
    agent.approve(second)
    assert agent.call(run, "POST", "bank", "/pay", b"{}").status == 200
    assert tool.calls[0].header("idempotency-key") == tool.calls[1].header("idempotency-key")
    assert agent.action(run, second["action_id"])["status"] == "EXECUTED" and len(tool.calls) == 2


def test_a_blocked_call_outlives_the_daemon(own_sluice, tool):
    sluice = own_sluice()
    agent = payer(sluice, tool)
    run = agent.start()
    action = agent.blocked(run, "POST", "bank", "/pay", b"{}")
    sluice.restart()
    assert agent.action(run, action["action_id"]) == action and len(agent.requests(run)) == 1
    agent.approve(action)
    sluice.restart()
    assert not tool.calls
    assert agent.call(run, "POST", "bank", "/pay", b"{}").status == 200
    assert agent.action(run, action["action_id"])["status"] == "EXECUTED"
    sluice.restart()
    agent.blocked(run, "POST", "bank", "/pay", b"{}")
    assert len(tool.calls) == 1


@pytest.mark.parametrize("size, method, status", [(1000, "POST", 200), (300_000, "POST", 502), (300_000, "GET", 200)])
def test_a_turn_that_is_tried_again_gets_recorded_answers(own_sluice, tool, remote, size, method, status):
    """A long answer is not kept: what only reads is made again, and anything else is not."""
    agent = payer(own_sluice(**FAST), tool)
    tool.answer = lambda call: (200, [("X-Number", str(len(tool.calls)))], b"x" * size)
    answers = []

    def turn(body):
        answers.append(agent.call(body["run_id"], method, "bank", "/free/x", b"{}" if method == "POST" else None))
        return (503 if len(answers) == 1 else 200), {"response": "done"}

    remote.answers["/"] = turn
    run = agent.start(invoke_url=remote.url + "/invoke", message="go")
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "COMPLETED")
    first, second = answers
    assert first.status == 200 and second.status == status
    assert len(tool.calls) == (2 if method == "GET" else 1)
    if size == 1000:
        assert second.content == first.content and second.header("x-number") == ["1"]
        assert second.header("sluice-replayed") == ["true"]
    if status == 502:
        assert second.code == "ANSWER_NOT_KEPT"


def test_what_a_turn_asks_for_twice_is_made_twice_and_recorded_twice(own_sluice, tool, remote):
    agent, turns = payer(own_sluice(**FAST), tool), []

    def turn(body):
        turns.append([agent.call(body["run_id"], "POST", "bank", "/free/x", b"{}").content for _ in range(2)])
        return (503 if len(turns) == 1 else 200), {"response": "done"}

    remote.answers["/"] = turn
    run = agent.start(invoke_url=remote.url + "/invoke", message="go")
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "COMPLETED")
    assert turns == [[b"1", b"2"]] * 2 and len(tool.calls) == 2


def process_agent(sluice, tool, code):
    payer(sluice, tool, source_files={"agent.py": code})
    agents = DeployedAgents(sluice)
    agents.await_phase("payer", "Running")
    return agents


def approve_blocked(agents, run):
    """Approves, as another than whoever began the run, what it waits for."""
    waiting = agents.eventually(
        lambda: agents.api.get(f"/runs/{run}").json, lambda run: run["status"] == "PAUSED_APPROVAL")
    path = f"/runs/{run}/actions/{waiting['blocked_action_id']}"
    action = agents.api.get(path).json
    approver = agents.sluice.client(agents.sluice.key("approver"))
    assert approver.post(path + "/approve", headers={"X-Payload-Hash": action["payload_hash"]}).status == 200
    return path


def test_a_handler_goes_on_after_an_approval_without_repeating_its_calls(own_sluice, tool):
    agents = process_agent(own_sluice(**FAST), tool, PAYING)
    run = agents.start("payer")
    path = approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert sent(tool) == [("GET", "/account"), ("POST", "/free/note"), ("POST", "/pay")]
    assert agents.answer(run)["response"] == "1 2 3"
    assert agents.api.get(path).json["status"] == "EXECUTED"


@pytest.mark.parametrize("moment", ["before the approval", "after the approval"])
def test_a_handler_goes_on_after_a_crash_of_the_daemon(own_sluice, tool, moment):
    sluice = own_sluice(**FAST)
    agents = process_agent(sluice, tool, PAYING)
    run = agents.start("payer")
    agents.eventually(lambda: agents.events(run), lambda events: any(
        event["type"] == "INVOKE_COMPLETED" for event in events))
    if moment == "before the approval":
        sluice.restart()
    approve_blocked(agents, run)
    if moment == "after the approval":
        sluice.restart()
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert sent(tool)[:2] == [("GET", "/account"), ("POST", "/free/note")]
    assert sent(tool)[2:] == [("POST", "/pay")]


def test_a_handler_whose_call_a_crash_cut_off_waits_for_a_person(own_sluice, tool):
    sluice = own_sluice(**FAST)
    agents, go_on = process_agent(sluice, tool, HANDLER + """
def steps(request):
    yield call("POST", "/free/note", b"noted")
"""), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agents.start("payer")
    tool.await_call()
    sluice.kill()
    go_on.set()
    sluice.start()
    path = approve_blocked(agents, run)
    assert len(tool.calls) == 1
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    first, second = tool.calls
    assert first.header("idempotency-key") == second.header("idempotency-key") != []
    assert agents.api.get(path).json["status"] == "EXECUTED"


def test_a_handler_whose_process_is_killed_gets_recorded_answers(own_sluice, tool, tmp_path):
    sluice = own_sluice(**FAST)
    agents, go_on = process_agent(sluice, tool, HANDLER + """
def steps(request):
    yield call("POST", "/free/note", b"noted")
    yield call("GET", "/account")
"""), threading.Event()

    def answer(call):
        number = str(len(tool.calls)).encode()
        if number == b"2":
            go_on.wait(60)
        return 200, [], number

    tool.answer = answer
    run = agents.start("payer")
    tool.await_call()
    tool.await_call()
    for process in processes(sluice):
        os.kill(process, signal.SIGKILL)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    go_on.set()
    assert sent(tool) == [("POST", "/free/note"), ("GET", "/account"), ("GET", "/account")]
    assert agents.answer(run)["response"] == "1 3"


def test_a_call_that_outlives_the_agents_process_is_not_made_again(own_sluice, tool):
    sluice = own_sluice(**FAST)
    agents, go_on = process_agent(sluice, tool, HANDLER + """
def steps(request):
    yield call("POST", "/free/note", b"noted")
"""), threading.Event()
    tool.answer = hanging(tool, go_on)
    run = agents.start("payer")
    tool.await_call()
    for process in processes(sluice):
        os.kill(process, signal.SIGKILL)
    agents.eventually(lambda: agents.events(run), lambda events: sum(
        event["type"] == "INVOKE_REQUESTED" for event in events) == 2)
    threading.Timer(1, go_on.set).start()
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert sent(tool) == [("POST", "/free/note")] and agents.answer(run)["response"] == "done"
