"""A client that gives up on a request and sends it again means one payment, and two equal requests mean two. No run ends
before its calls, nor while nobody knows what became of an approved one."""

import json
import socket
import threading

import pytest

from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from test_egress_recovery import FAST, HANDLER, NOBODY_KNOWS, approve_blocked, payer, process_agent
from test_model_replay import Payer, Rewording, replayed
from test_record_and_replay import approve_next, assert_keys_differ, begin, ended, paid, pay


@pytest.fixture
def tool():
    """A tool that answers each call with its number; the first one waits until `go_on`."""
    tool = ScriptedTool()
    tool.go_on = threading.Event()

    def answer(call):
        number = len(tool.calls)
        if number == 1:
            tool.go_on.wait(60)
        return 200, [], b"%d" % number

    tool.answer = answer
    yield tool
    tool.close()


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


def send(agent, run, target, body, attempt=None):
    """A call whose answer is not read: its connection."""
    connection = socket.create_connection(("127.0.0.1", agent.sluice.port))
    name = f"X-Request-Id: req-{run}-{attempt}\r\n" if attempt else ""
    connection.sendall(
        f"POST /as/{agent.token}/egress/bank{target} HTTP/1.1\r\nHost: gate\r\nX-Run-ID: {run}\r\n{name}"
        f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def in_background(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()

    def result():
        thread.join(60)
        return results[0]

    return result


@pytest.mark.parametrize("driver", ["server", "client"])
@pytest.mark.parametrize("target", ["/free/pay", "/pay"])
def test_a_client_that_gives_up_and_asks_again_pays_once(own_sluice, tool, remote, driver, target):
    agent, answers = payer(own_sluice(**FAST), tool), []

    def course(run, attempt):
        if target == "/pay" and attempt == 1:
            assert pay(agent, run, attempt, target, b"once").status == 403
            return
        given_up = send(agent, run, target, b"once", attempt)
        tool.await_call()
        given_up.close()
        again = in_background(lambda: pay(agent, run, attempt, target, b"once"))
        threading.Timer(1, tool.go_on.set).start()
        answers.extend([again(), pay(agent, run, attempt, "/free/pay", b"another")])

    if driver == "client":
        run = agent.start()
        if target == "/pay":
            agent.approve(agent.blocked(run, "POST", "bank", target, b"once"))
        course(run, 9)
    else:
        run = begin(agent, remote, lambda run, attempt: (course(run, attempt), (200, {"response": "done"}))[1])
        if target == "/pay":
            approve_next(agent, run)
        assert ended(agent, run)["status"] == "COMPLETED", agent.events(run)
    assert [(each.status, each.content) for each in answers] == [(200, b"1"), (200, b"2")]
    assert answers[0].header("sluice-replayed") == ["true"] and not answers[1].header("sluice-replayed")
    assert paid(tool) == sorted([b"once", b"another"])


def test_an_outcome_that_came_after_its_client_left_is_the_next_calls(own_sluice, tool, remote):
    agent, answers = payer(own_sluice(**FAST), tool), []

    def answer(run, attempt):
        given_up = send(agent, run, "/free/pay", b"once", attempt)
        tool.await_call()
        given_up.close()
        tool.go_on.set()
        agent.eventually(lambda: agent.events(run, "TOOL_CALLED"), bool)
        answers.extend(pay(agent, run, attempt, "/free/pay", b"once") for _ in range(2))
        return 200, {"response": "done"}

    run = begin(agent, remote, answer)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert [each.content for each in answers] == [b"1", b"2"], "the second one is another payment"
    assert paid(tool) == [b"once"] * 2
    assert_keys_differ(tool)


@pytest.mark.parametrize("count", [2, 6])
def test_equal_payments_of_clients_that_stay_are_all_made(own_sluice, tool, remote, count):
    agent = payer(own_sluice(**FAST), tool)

    def answer(run, attempt):
        threads = [in_background(lambda: pay(agent, run, attempt, "/free/pay", b"equal")) for _ in range(count)]
        threading.Timer(0.5, tool.go_on.set).start()
        contents = [result().content for result in threads]
        contents += [pay(agent, run, attempt, "/free/pay", b"equal").content for _ in range(count)]
        return 200, {"response": json.dumps(sorted(map(int, contents)))}

    run = begin(agent, remote, answer)
    assert ended(agent, run)["status"] == "COMPLETED"
    assert agent.events(run, "INVOKE_COMPLETED")[0]["data"]["response"]["response"] == json.dumps(
        list(range(1, 2 * count + 1)))
    assert_keys_differ(tool)


def test_a_deployed_agent_whose_requests_time_out_pays_once(own_sluice, tool):
    agents = process_agent(own_sluice(**FAST), tool, HANDLER + """
def steps(request):
    for _ in range(30):
        try:
            again = urllib.request.Request(os.environ["TOOL_URL_BANK"] + "/free/pay", data=b"once", method="POST")
            yield urllib.request.urlopen(again, timeout=0.5).read().decode()
            break
        except (TimeoutError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
    yield call("POST", "/pay", b"approved")
""")
    run = agents.start("payer")
    tool.await_call()
    threading.Timer(2, tool.go_on.set).start()
    approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    assert agents.answer(run)["response"] == "1 2" and paid(tool) == [b"approved", b"once"]


def test_a_run_ends_after_the_call_that_its_agent_gave_up(own_sluice, tool, remote):
    agent = payer(own_sluice(**FAST), tool)

    def answer(run, attempt):
        given_up = send(agent, run, "/free/pay", b"once", attempt)
        tool.await_call()
        given_up.close()
        return 200, {"response": "it took too long"}

    run = begin(agent, remote, answer)
    agent.eventually(lambda: agent.events(run, "INVOKE_COMPLETED"), bool)
    assert agent.run(run)["status"] == "RUNNING"
    tool.go_on.set()
    assert ended(agent, run)["status"] == "COMPLETED"
    types = [event["type"] for event in agent.events(run)]
    assert types[-2:] == ["TOOL_CALLED", "COMPLETED"] and types.count("INVOKE_REQUESTED") == 1


def test_a_run_whose_agent_gave_up_a_call_ends_after_a_crash_too(own_sluice, tool, remote):
    sluice = own_sluice(**FAST)
    agent = payer(sluice, tool)

    def answer(run, attempt):
        send(agent, run, "/free/pay", b"once", attempt)
        tool.await_call()
        return 200, {"response": "it took too long"}

    run = begin(agent, remote, answer)
    agent.eventually(lambda: agent.events(run, "INVOKE_COMPLETED"), bool)
    sluice.restart()
    tool.go_on.set()
    assert ended(agent, run)["status"] == "COMPLETED" and len(tool.calls) == 1


def test_a_person_is_asked_about_an_approved_payment_that_the_agent_shrugs_off(own_sluice, tool, remote):
    agent = payer(own_sluice(**FAST), tool)

    def break_off(call):
        if len(tool.calls) == 1:
            raise ConnectionResetError
        return 200, [], b"paid"

    tool.answer = break_off
    run = begin(agent, remote, lambda run, attempt: (
        200, {"response": f"the bank said {pay(agent, run, attempt, '/pay', b'once').status}"}))
    approve_next(agent, run)
    agent.eventually(lambda: agent.events(run, "APPROVAL_REQUIRED"), lambda events: len(events) == 2)
    request, = agent.requests(run)
    action = agent.action(run, agent.run(run)["blocked_action_id"])
    assert NOBODY_KNOWS in json.dumps([request, action]) and len(tool.calls) == 1
    agent.approve(action)
    assert ended(agent, run)["status"] == "COMPLETED"
    first, second = tool.calls
    assert first.header("idempotency-key") == second.header("idempotency-key")


def test_an_approved_payment_outlasts_a_tool_that_is_down_for_a_while(own_sluice, tool, remote):
    agent = payer(own_sluice(SLUICE_INVOKE_BACKOFF_MIN="1s", SLUICE_INVOKE_BACKOFF_MAX="2s"), tool)
    run = begin(agent, remote, lambda run, attempt: (
        200, {"response": str(pay(agent, run, attempt, "/pay", b"once").status)}))
    agent.eventually(lambda: agent.run(run)["status"], lambda status: status == "PAUSED_APPROVAL")
    tool.close()
    approve_next(agent, run)
    agent.eventually(lambda: agent.events(run, "TOOL_CALLED"), lambda events: len(events) >= 2)
    again = ScriptedTool(tool.port)
    assert ended(agent, run)["status"] == "COMPLETED", agent.events(run)
    assert paid(again) == [b"once"]
    again.close()


def test_a_model_call_that_its_client_gave_up_is_not_the_one_that_is_replayed(own_sluice, remote):
    models = Rewording()
    payer = Payer(own_sluice(**FAST), models, remote)
    asked, go_on, say = threading.Semaphore(0), [threading.Event(), threading.Event()], models.say

    def wait(body):
        answer, number = say(body), models.count - 1
        asked.release()
        go_on[min(number, 1)].wait(60)
        return answer

    for provider in models.providers.values():
        provider.say = wait

    def calls(ask):
        if payer.turns:
            return [ask(content="once")]
        request = f"req-{payer.begun}-1"
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "once"}], "stream": False,
                           "max_completion_tokens": 9})
        given_up = socket.create_connection(("127.0.0.1", payer.sluice.port))
        given_up.sendall(
            f"POST /as/{payer.token}/v1/chat/completions HTTP/1.1\r\nHost: gate\r\nX-Run-ID: {payer.begun}\r\n"
            f"X-Request-Id: {request}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            f"{body}".encode())
        assert asked.acquire(timeout=60)
        given_up.close()
        second = in_background(lambda: ask(content="once"))
        assert asked.acquire(timeout=60)
        go_on[0].set()
        payer.eventually(lambda: payer.llm_calls(payer.begun), bool)
        go_on[1].set()
        return [second()]

    payer.calls_of_turn = calls
    payer.finish(payer.begin())
    (first,), (second,) = payer.turns
    assert b"wording 2" in first.content and first.content == second.content
    assert replayed(second) and models.count == 2
    models.close()


def test_an_approved_head_that_was_answered_needs_another_approval(own_sluice, tool):
    agent = payer(own_sluice(**FAST), tool)
    tool.go_on.set()
    policy = {"name": "payer-rules", "spec": {"policies": [
        {"permission": "approval_required", "operations": ["HEAD"], "resource": tool.url + "/pay*"}]}}
    assert agent.api.put("/api/policies/payer-rules", policy).status == 200
    run = agent.start()
    refused = agent.call(run, "HEAD", "bank", "/pay")
    assert refused.status == 403
    agent.approve(agent.action(run, agent.run(run)["blocked_action_id"]))
    assert [agent.call(run, "HEAD", "bank", "/pay").status for _ in range(2)] == [200, 403]
    assert len(tool.calls) == 1
