"""A run that pauses or is tried again gets the model responses that it got before: same words, no second bill."""

import http.client
import json
import sqlite3
import threading

import pytest

from deployed_agents import DeployedAgents
from governed_agent import TIMEOUT_SECONDS, GovernedAgent, ToolAnswer, store_tool
from scripted_agent import ScriptedAgent
from scripted_provider import Anthropic, Answer, OpenAI
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from test_egress_recovery import FAST, HANDLER, approve_blocked

PRICES = {"input_per_million_usd": 100, "output_per_million_usd": 1000}
PATHS = {"chat": "chat/completions", "messages": "messages"}


class Rewording:
    """Two providers, of OpenAI's and Anthropic's format, that say something else each time they are asked."""

    def __init__(self):
        self.count, self.size, self.more, self.lock = 0, 0, "", threading.Lock()
        self.providers = {"chat": OpenAI(self.say), "messages": Anthropic(self.say)}

    def say(self, body):
        with self.lock:
            self.count += 1
            return Answer(f"wording {self.count} " + "x" * self.size + self.more)

    def close(self):
        for provider in self.providers.values():
            provider.close()


@pytest.fixture
def models():
    models = Rewording()
    yield models
    models.close()


@pytest.fixture
def remote():
    agent = ScriptedAgent()
    yield agent
    agent.close()


class Payer(GovernedAgent):
    """An agent outside that calls the models, in attempts that Sluice starts."""

    def __init__(self, sluice, models, remote, rules=(), **deploy):
        super().__init__(sluice, "payer", rules, **deploy)
        self.models, self.remote, self.turns, self.begun = models, remote, [], None
        self.calls_of_turn = lambda ask: [ask()]
        self.failures = 1
        for name, provider in models.providers.items():
            answer = self.api.post("/api/v1/model-providers", {
                "name": name, "credentials": provider.credentials,
                "spec": provider.spec(name) | {"prices": {name: PRICES}}})
            assert answer.status == 201, answer
        remote.answers["/"] = self.turn

    def turn(self, body):
        """One attempt; the first ones fail at their end."""
        request, self.begun = self.remote.calls.get(timeout=30)[1].get("x-request-id"), body["run_id"]
        self.turns.append(self.calls_of_turn(lambda **more: self.ask(body["run_id"], request=request, **more)))
        return (503 if len(self.turns) <= self.failures else 200), {"response": "done"}

    def ask(self, run, **more):
        response, connection = self.open_model(run, **more)
        try:
            return ToolAnswer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def open_model(self, run, api="chat", request=None, stream=False, content="what is to be paid?"):
        """The head of a model's response, and the connection that the rest comes on."""
        limit = "max_tokens" if api == "messages" else "max_completion_tokens"
        body = {"model": api, "messages": [{"role": "user", "content": content}], "stream": stream, limit: 9}
        headers = {"X-Run-ID": run, "Content-Type": "application/json"} | ({"X-Request-Id": request} if request else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.sluice.port, timeout=TIMEOUT_SECONDS)
        connection.request("POST", f"/as/{self.token}/v1/{PATHS[api]}", json.dumps(body), headers)
        return connection.getresponse(), connection

    def begin(self):
        return self.start(invoke_url=self.remote.url + "/invoke", message="go")

    def finish(self, run, status="COMPLETED"):
        self.eventually(lambda: self.run(run), lambda now: now["status"] == status)

    def llm_calls(self, run):
        return [event["data"] for event in self.events(run, "LLM_CALL")]

    def spent(self):
        answer = self.api.get("/api/v1/model-usage?group_by=agent")
        return {row["agent"]: row for row in answer.json["rows"]}["payer"]


@pytest.fixture
def payer(own_sluice, models, remote):
    return Payer(own_sluice(**FAST), models, remote)


def replayed(answer):
    return answer.header("sluice-replayed") == ["true"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", ["chat", "messages"])
def test_a_later_attempt_gets_the_same_bytes_and_the_model_is_not_asked(payer, models, api, stream):
    payer.calls_of_turn = lambda ask: [ask(api=api, stream=stream)]
    run = payer.begin()
    payer.finish(run)
    (first,), (second,) = payer.turns
    assert first.status == second.status == 200 and first.content == second.content
    assert b"wording 1" in first.content or stream
    assert not replayed(first) and replayed(second)
    assert first.header("content-type") == second.header("content-type")
    assert first.header("sluice-provider") == second.header("sluice-provider") == [api]
    assert models.count == 1


def test_a_replay_costs_nothing_and_the_timeline_shows_it(payer):
    run = payer.begin()
    payer.finish(run)
    made, again = payer.llm_calls(run)
    assert again == {"call_id": made["call_id"], "replayed": True} and made["cost_usd"] > 0
    assert payer.spent()["calls"] == 1 and payer.spent()["cost_usd"] == made["cost_usd"]
    metrics = payer.api.get("/metrics").content.decode()
    assert "sluice_model_calls_replayed_total 1" in metrics


def test_a_spent_budget_does_not_stop_a_replay(own_sluice, models, remote):
    payer = Payer(own_sluice(**FAST), models, remote, monthly_budget_usd=0.000001)
    run = payer.begin()
    payer.finish(run)
    (first,), (second,) = payer.turns
    assert replayed(second) and first.content == second.content
    assert payer.ask(payer.start()).status == 402, "a new call is stopped"


def test_a_replay_needs_no_provider(payer):
    def calls(ask):
        answer = ask()
        assert payer.api.delete("/api/v1/model-providers/chat").status in (200, 204, 404)
        return [answer]

    payer.calls_of_turn = calls
    payer.finish(payer.begin())
    assert replayed(payer.turns[1][0]) and payer.turns[0][0].content == payer.turns[1][0].content


def test_identical_calls_of_one_attempt_get_their_own_responses(payer, models):
    payer.calls_of_turn = lambda ask: [ask(), ask(), ask(content="something else"), ask()]
    payer.failures = 2
    payer.finish(payer.begin())
    first, second, third = [[answer.content for answer in turn] for turn in payer.turns]
    assert len(set(first)) == 4 and first == second == third and models.count == 4


def test_parallel_identical_calls_get_different_records(payer, models):
    def calls(ask):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    payer.calls_of_turn = calls
    payer.finish(payer.begin())
    first, second = [sorted(answer.content for answer in turn) for turn in payer.turns]
    assert len(set(first)) == 6 and first == second and models.count == 6


def test_another_body_is_another_call(payer, models):
    payer.calls_of_turn = lambda ask: [ask(content=f"attempt {len(payer.turns)}")]
    payer.finish(payer.begin())
    assert not any(replayed(answer) for turn in payer.turns for answer in turn) and models.count == 2


def test_a_response_above_the_limit_is_asked_for_again_in_its_place(own_sluice, models, remote):
    payer = Payer(own_sluice(SLUICE_JOURNAL_MODEL_ANSWER_MAX="2000", **FAST), models, remote)

    def calls(ask):
        models.size = 4000 if not payer.turns else 0
        large = ask()
        models.size = 0
        return [large, ask()]

    payer.calls_of_turn, payer.failures = calls, 2
    run = payer.begin()
    payer.finish(run)
    first, second, third = payer.turns
    assert first[0].content != second[0].content == third[0].content
    assert first[1].content == second[1].content == third[1].content
    assert [replayed(answer) for turn in payer.turns for answer in turn] == [False, False, False, True, True, True]
    assert models.count == 3 and [call.get("replayed") for call in payer.llm_calls(run)].count(True) == 3


@pytest.mark.parametrize("settings, deploy", [
    ({"SLUICE_JOURNAL_MODEL_CALLS": "false"}, {}),
    ({}, {"llm_config": {"model": "chat", "journal": False}}),
    ({}, {"llm_configs": [{"model": "messages"}, {"model": "chat", "journal": False}]}),
], ids=["setting", "llm_config", "llm_configs"])
def test_switched_off_the_model_is_asked_again(own_sluice, models, remote, settings, deploy):
    payer = Payer(own_sluice(**settings, **FAST), models, remote, **deploy)
    run = payer.begin()
    payer.finish(run)
    assert not any(replayed(turn[0]) for turn in payer.turns) and models.count == 2
    assert all("call_id" not in call for call in payer.llm_calls(run))


def test_the_switch_is_part_of_an_agents_configuration(payer, models):
    path = "/api/v1/agents/payer/config"
    assert payer.api.put(path, {"llm_configs": [{"model": "chat", "journal": "no"}]}).status == 400
    answer = payer.api.put(path, {"llm_configs": [{"model": "chat", "journal": False}]})
    assert answer.status == 200 and answer.json["llm_configs"] == [{"model": "chat", "journal": False}]
    payer.finish(payer.begin())
    assert models.count == 2


@pytest.mark.parametrize("stop", [SluiceProcess.kill, SluiceProcess.stop], ids=["killed", "stopped"])
def test_a_daemon_that_starts_again_gives_the_recorded_responses(own_sluice, models, remote, stop):
    """A stop leaves a snapshot of the journal; without one it is read from the log."""
    payer = Payer(own_sluice(SLUICE_DRAIN_TIMEOUT="1s", **FAST), models, remote)
    go_on, asked, is_ready = threading.Event(), threading.Event(), threading.Event()

    def calls(ask):
        if asked.is_set():
            # Sluice calls its agents before it listens.
            is_ready.wait(60)
            return [ask()]
        payer.first = ask()
        asked.set()
        go_on.wait(60)
        return []

    payer.calls_of_turn, payer.failures = calls, 0
    run = payer.begin()
    assert asked.wait(30)
    stop(payer.sluice)
    payer.sluice.start()
    is_ready.set()
    payer.finish(run)
    go_on.set()
    again, = payer.turns[0]
    assert again.content == payer.first.content and replayed(again) and models.count == 1


def test_a_stream_that_the_agent_left_is_asked_for_again(payer, models):
    models.more = " word" * 200
    provider = models.providers["chat"]

    def cut():
        provider.go_on.release()
        return [call for call in payer.llm_calls(payer.begun) if "error" in call]

    def calls(ask):
        if payer.turns:
            return [ask(stream=True)]
        provider.go_on = threading.Semaphore(0)
        response, connection = payer.open_model(payer.begun, stream=True)
        assert response.read(6) == b"data: "
        connection.close()
        payer.eventually(cut, lambda calls: calls)
        provider.go_on.release(1000)
        provider.go_on = None
        return []

    payer.calls_of_turn = calls
    run = payer.begin()
    payer.finish(run)
    assert "did not take the whole answer" in payer.llm_calls(run)[0]["error"]
    assert not replayed(payer.turns[1][0]) and models.count == 2


def test_a_superseded_attempt_may_not_call_models(payer, models):
    payer.failures = 0
    first_answered = threading.Event()

    def calls(ask):
        answers = [ask()]
        first_answered.set()
        return answers

    payer.calls_of_turn = calls
    go_on = threading.Event()
    turn = payer.remote.answers["/"]
    payer.remote.answers["/"] = lambda body: (turn(body), go_on.wait(30))[0]
    run = payer.begin()
    assert first_answered.wait(30)
    late = payer.ask(run, request=f"req-{run}-0")
    assert (late.status, late.code) == (409, "ATTEMPT_SUPERSEDED") and run in str(late.json["error"])
    late = payer.ask(run, api="messages", request=f"req-{run}-0")
    assert late.status == 409 and late.json["type"] == "error"
    assert payer.ask(run, request="my-own-id").status == 200
    go_on.set()
    payer.finish(run)
    assert models.count == 2


def test_calls_of_a_client_driven_run_are_made_each_time(payer, models):
    run = payer.start()
    assert not replayed(payer.ask(run)) and not replayed(payer.ask(run)) and models.count == 2


def test_records_show_the_call_and_never_the_text(payer, models):
    run = payer.begin()
    payer.finish(run)
    exported = payer.sluice.run("log", "cat", "--data-dir", payer.sluice.data).stdout
    recorded = [json.loads(line) for line in exported.split("\n")[:-1]]
    kept, = [event["data"] for event in recorded if event["type"] == "model_answer.recorded"]
    assert kept == {"call_id": payer.llm_calls(run)[0]["call_id"], "kept": True}
    assert [event["type"] for event in recorded if event["type"].startswith("model_call.")] == [
        "model_call.made", "model_call.replayed"]
    assert "wording" not in exported
    files = [path for path in payer.sluice.data.rglob("*") if path.is_file()]
    assert files and not any(b"wording 1" in path.read_bytes() for path in files)


def test_an_erasure_and_the_end_of_its_run_remove_a_response(payer):
    run = payer.begin()
    payer.finish(run)
    asked = payer.api.post("/erasures", {"user_id": "ada"})
    assert asked.status == 202, asked
    payer.eventually(
        lambda: payer.api.get(f"/erasures/{asked.json['id']}").json["status"], lambda status: status == "ERASED")
    shown = payer.sluice.run("log", "cat", "--data-dir", payer.sluice.data).stdout.split("\n")[:-1]
    kept, = [event["data"]["kept"] for event in map(json.loads, shown) if event["type"] == "model_answer.recorded"]
    assert kept is False
    assert payer.sluice.stop() == 0
    with sqlite3.connect(payer.sluice.data / "read-model.sqlite") as database:
        assert database.execute("SELECT count(*) FROM model_answers").fetchone() == (0,)


def test_a_response_whose_key_is_destroyed_is_asked_for_again(faulty, models, remote):
    sluice, tool = faulty(
        SLUICE_PAYLOAD_RETENTION="1d", SLUICE_RUN_TIMEOUT="60d", SLUICE_APPROVAL_WINDOW="60d", **FAST), ScriptedTool()
    store_tool(sluice, "bank", tool.url)
    payer = Payer(sluice, models, remote, rules=[("approval_required", ["POST"], tool.url + "/*")])
    other = payer.start()
    action = payer.blocked(other, "POST", "bank", "/pay", b"sealed under the same key")
    go_on, asked, is_ready = threading.Event(), threading.Event(), threading.Event()

    def calls(ask):
        if asked.is_set():
            is_ready.wait(60)
            payer.eventually(lambda: payer.action(other, action["action_id"]), lambda shown: "payload" not in shown)
            return [ask()]
        answer = ask()
        asked.set()
        go_on.wait(60)
        return [answer]

    payer.calls_of_turn, payer.failures = calls, 0
    run = payer.begin()
    assert asked.wait(30)
    sluice.kill()
    (sluice.faults / "clock").write_text(str(3 * 86_400))
    # As after a restart of the machine, when nothing is known of a step.
    (sluice.data / "clock").unlink()
    sluice.start()
    is_ready.set()
    payer.finish(run)
    go_on.set()
    assert not replayed(payer.turns[0][0]) and models.count == 2
    tool.close()


PAYS_WHAT_THE_MODEL_SAYS = HANDLER + """
import json

def steps(request):
    body = json.dumps({"model": "chat", "stream": STREAM, "messages": [{"role": "user", "content": request["message"]}]})
    asked = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions", data=body.encode(),
        headers={"Content-Type": "application/json"})
    said = urllib.request.urlopen(asked).read().decode()
    payment = said if STREAM else json.loads(said)["choices"][0]["message"]["content"]
    yield call("POST", "/pay", payment.encode())
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_approved_payment_carries_the_first_words_of_a_model_that_rewords(own_sluice, models, stream):
    sluice, tool = own_sluice(**FAST), ScriptedTool()
    tool.answer = lambda call: (200, [], b"paid")
    store_tool(sluice, "bank", tool.url, None, {"capabilities": [{"method": "*", "path": "/*"}]})
    agent = GovernedAgent(
        sluice, "payer", [("approval_required", ["POST"], tool.url + "/pay*")], required_tools=["bank"],
        source_files={"agent.py": PAYS_WHAT_THE_MODEL_SAYS.replace("STREAM", str(stream))})
    provider = models.providers["chat"]
    answer = agent.api.post("/api/v1/model-providers", {
        "name": "chat", "credentials": provider.credentials, "spec": provider.spec("chat")})
    assert answer.status == 201, answer
    agents = DeployedAgents(sluice)
    agents.await_phase("payer", "Running")
    run = agents.start("payer")
    approve_blocked(agents, run)
    assert agents.finished(run)["status"] == "COMPLETED", agents.events(run)
    payment, = tool.calls
    assert models.count == 1 and (stream or payment.body.startswith(b"wording 1"))
    assert [event["data"].get("replayed") for event in agent.events(run, "LLM_CALL")] == [None, True]
    tool.close()
