"""Runs whose agents ask by OpenAI's Responses: replay, budgets, limits, and callers that leave, as for the other formats."""

import json

import pytest

from models.test_thinking import STAGES, call, model, name  # noqa: F401 - fixtures
from sluice_process import SluiceProcess
from test_egress_recovery import FAST
from test_model_replay import Payer, models, remote, replayed  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("response-runs"), {"SLUICE_HEARTBEAT": "1s"}).start()
    yield process
    assert process.stop() == 0


class Responder(Payer):
    """Asks with a body of the format, which may continue an earlier response."""

    def open_model(self, run, content="what is to be paid?", stream=False, request=None, previous=None):
        body = {"model": "chat", "input": content, "stream": stream, "previous_response_id": previous}
        headers = {"X-Run-ID": run, "Content-Type": "application/json"} | ({"X-Request-Id": request} if request else {})
        connection = call(self.sluice, f"/as/{self.token}/v1/responses", body, headers)
        return connection.getresponse(), connection


@pytest.fixture
def payer(own_sluice, models, remote):  # noqa: F811
    return Responder(own_sluice(**FAST), models, remote)


def response_of(answer):
    text = answer.content.decode()
    if text.startswith("{"):
        return json.loads(text)
    *_, last = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
    return last["response"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_later_attempt_gets_the_same_responses_and_continues_them(payer, models, stream):  # noqa: F811
    def turn(ask):
        first = ask(stream=stream)
        second = ask(content="sure?", stream=stream, previous=response_of(first)["id"])
        if len(payer.turns) < 1:
            return [first, second]
        return [first, second, ask(content="then pay", previous=response_of(second)["id"])]

    payer.calls_of_turn = turn
    run = payer.begin()
    payer.finish(run)
    first, second = payer.turns
    assert [answer.content for answer in first] == [answer.content for answer in second[:2]]
    assert [replayed(answer) for answer in second] == [True, True, False]
    assert second[2].status == 200 and models.count == 3
    asked = [models.providers["chat"].next_call()[2]["messages"] for _ in range(3)][-1]
    assert [message["content"].split(" xx")[0] for message in asked] == [
        "what is to be paid?", "wording 1 ", "sure?", "wording 2 ", "then pay"]


def test_a_run_that_resumes_after_a_restart_continues_its_responses(payer, models):  # noqa: F811
    kept = []

    def turn(ask):
        kept.append(ask())
        return kept[-1:]

    payer.calls_of_turn = turn
    payer.failures = 0
    run = payer.start(invoke_url=payer.remote.url + "/invoke", message="go")
    payer.finish(run)
    previous = response_of(kept[0])["id"]
    payer.sluice.kill()
    payer.sluice.start()
    other = payer.start()
    answer = payer.ask(other, content="and?", previous=previous)
    assert answer.status == 400 and "send the whole input instead" in answer.json["error"]["message"]
    assert models.count == 1


def test_another_users_run_cannot_continue_a_response(payer):
    ada, bob = payer.start(), payer.start(user="bob")
    first = response_of(payer.ask(ada))["id"]
    assert payer.ask(bob, previous=first).status == 400
    assert payer.ask(ada, previous=first).status == 200


def test_budgets_stop_responses_before_they_are_sent(own_sluice, models, remote):  # noqa: F811
    payer = Responder(own_sluice(**FAST), models, remote, monthly_budget_usd=0.000001)
    run = payer.start()
    assert payer.ask(run).status == 200
    answer = payer.ask(run, content="more")
    assert answer.status == 402 and answer.json["error"]["code"] == "BUDGET_REACHED"
    assert payer.spent()["calls"] == 1 and models.count == 1


def test_limits_of_a_run_count_responses(own_sluice, models, remote):  # noqa: F811
    payer = Responder(own_sluice(**FAST), models, remote, limits={"model_calls": 1})
    run = payer.start()
    assert payer.ask(run).status == 200
    answer = payer.ask(run, content="more")
    assert answer.status == 409 and payer.run(run)["status"] == "FAILED" and models.count == 1


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_caller_that_leaves_ends_the_call_upstream(sluice, model, name, stage, streamed):  # noqa: F811
    model.beginning = STAGES[stage]
    connection = call(sluice, "/v1/responses", {"model": name, "input": "a question", "stream": streamed})
    model.asked.get(timeout=30)
    connection.close()
    assert model.left.get(timeout=30)


def test_a_caller_gets_a_response_begun_and_comments_while_the_model_thinks(sluice, model, name):  # noqa: F811
    connection = call(sluice, "/v1/responses", {"model": name, "input": "a question", "stream": True})
    response = connection.getresponse()
    lines = iter(response.readline, b"")
    assert next(lines) == b"event: response.created\n"
    pings = (line for line in lines if line == b": ping\n")
    assert next(pings) and next(pings)
    model.released.set()
    assert b"event: response.completed\n" in response.read()
    connection.close()
