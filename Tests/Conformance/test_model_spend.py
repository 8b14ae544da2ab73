"""Calls of models are events with their tokens and their cost, and budgets stop them."""

import datetime
import errno
import re
import socket
import threading

import openai
import pytest

from agents_world import World, agents, module_sluice, world  # noqa: F401 - fixtures
from metered_team import ASK, PRICES, MeteredTeam, make_team, team  # noqa: F401 - fixtures
from scripted_model import words
from sluice_process import SluiceProcess, free_port
from test_contract import Contract
from waiting import until_true


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("spend")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def half_a_model():
    """The address of a model that ends in the middle of its answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=30)


def test_a_call_is_recorded_with_its_tokens_and_its_cost(team):
    team.ask({"X-End-User-ID": "zo%C3%AB"})
    event, = team.events()
    assert (event["type"], event["stream"].split("/")[0]) == ("model_call.made", "modelProvider")
    data = event["data"]
    assert data.pop("latency_us") > 0 and data.pop("time_to_first_byte_us") > 0
    assert data == {
        "provider": "p", "provider_kind": "vllm", "model": "m", "operation": "chat/completions", "agent_id": "payer",
        "user_id": "zoë", "streamed": False, "status_code": 200, "prompt_tokens": 7, "completion_tokens": 5,
        "cached_tokens": 0, "cost_usd": 0.0057,
        "price": {"input_per_million_usd": 100, "output_per_million_usd": 1000, "cached_input_per_million_usd": 100}}
    assert team.usage()["payer"] == {
        "agent": "payer", "calls": 1, "failed_calls": 0, "refused_calls": 0, "estimated_calls": 0, "unpriced_calls": 0,
        "prompt_tokens": 7, "completion_tokens": 5, "cached_tokens": 0, "cost_usd": 0.0057}


def test_the_next_read_shows_the_call(team):
    for count in range(1, 6):
        team.ask()
        assert team.usage()["payer"]["calls"] == 2 * count - 1
        list(team.ask(stream=True, stream_options={"include_usage": True}))
        assert team.usage()["payer"]["calls"] == 2 * count
    assert team.usage()["payer"]["cost_usd"] == 0.057


def test_cached_tokens_have_their_own_price(team):
    team.provide(prices=PRICES | {"cached_input_per_million_usd": 1.5})
    team.model.say = lambda body: (200, {"choices": [], "usage": {
        "prompt_tokens": 1000, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 999}}})
    team.ask()
    data = team.events()[-1]["data"]
    # 1 at 100, 999 at 1.5 and 1 at 1000 are 2598.5 millionths of a dollar.
    assert (data["cached_tokens"], data["cost_usd"]) == (999, 0.002599)


def test_a_stream_with_usage_is_recorded_before_its_end_is_read(team):
    chunks = list(team.ask(stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.total_tokens == 12
    data = team.events()[-1]["data"]
    assert (data["streamed"], data["prompt_tokens"], data["completion_tokens"]) == (True, 7, 5)
    assert data["cost_usd"] == 0.0057 and "estimated" not in data


def test_a_stream_without_usage_is_estimated_and_says_so(team):
    team.model.say = lambda body: words("one two three")
    team.model.tells_usage = False
    list(team.ask(stream=True))
    data = team.events()[-1]["data"]
    # "a question" has 10 bytes; "one two three " has 14.
    assert (data["prompt_tokens"], data["completion_tokens"], data["estimated"]) == (3, 4, True)
    assert team.usage()["payer"]["estimated_calls"] == 1


def test_a_stream_comes_as_it_is_written_all_the_same(team):
    team.model.say = lambda body: words("one two")
    chunks = iter(team.ask(stream=True, extra_body={"hold": True}))
    assert next(chunks).choices[0].delta.content == "one "
    assert team.usage() == {}, "it is not over"
    team.model.go_on.release()
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["two ", None]
    assert team.usage()["payer"]["calls"] == 1


def test_a_stream_that_its_reader_leaves_is_recorded_with_what_had_come(team):
    team.model.say = lambda body: words("one two three " + "x" * 300_000)
    stream = team.ask(stream=True, extra_body={"hold": True})
    assert next(iter(stream)).choices[0].delta.content == "one "
    stream.close()
    team.model.go_on.release(3)
    until_true(lambda: team.usage().get("payer"))
    data = team.events()[-1]["data"]
    assert "error" in data and data["estimated"] and data["prompt_tokens"] == 3 and data["completion_tokens"] >= 1


def test_a_model_that_breaks_off_is_recorded_as_failed(team, half_a_model):
    team.provide(endpoint=half_a_model)
    with pytest.raises(openai.APIStatusError) as caught:
        team.ask()
    assert caught.value.status_code == 502
    row = team.usage()["payer"]
    # The provider bills an answer that it has begun: the prompt counts by an estimate of three tokens.
    assert (row["calls"], row["failed_calls"], row["cost_usd"]) == (1, 1, 0.0003)
    data = team.events()[-1]["data"]
    assert "broke off" in data["error"] and data["estimated"]


def test_failures_are_recorded(team):
    team.provide(endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(openai.APIStatusError):
        team.ask()
    data = team.events()[-1]["data"]
    assert "cannot be reached" in data["error"] and "cost_usd" not in data and "status_code" not in data
    team.provide()
    team.model.say = lambda body: (429, {"error": {"message": "slow down"}})
    with pytest.raises(openai.RateLimitError):
        team.ask()
    data = team.events()[-1]["data"]
    assert (data["status_code"], data.get("prompt_tokens")) == (429, None)
    assert (team.usage()["payer"]["calls"], team.usage()["payer"]["failed_calls"]) == (2, 2)


def test_embeddings_are_metered(team):
    team.model.say = lambda body: (200, {"object": "list", "model": "m", "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5] * 100_000}],
        "usage": {"prompt_tokens": 9, "total_tokens": 9}})
    answer = team.sdk().embeddings.create(model="m", input="text", encoding_format="float")
    assert len(answer.data[0].embedding) == 100_000
    data = team.events()[-1]["data"]
    assert (data["operation"], data["prompt_tokens"], data["completion_tokens"]) == ("embeddings", 9, 0)
    assert data["cost_usd"] == 0.0009


def test_without_a_price_the_cost_is_not_known_and_that_is_counted(team):
    team.provide(prices=None)
    team.ask()
    assert "cost_usd" not in team.events()[-1]["data"]
    assert (team.usage()["payer"]["unpriced_calls"], team.usage()["payer"]["cost_usd"]) == (1, 0)


def test_well_known_models_have_prices(team):
    team.model_name = "gpt-4o-mini-2024-07-18"
    team.provide(prices=None, provider="openai", models=[team.model_name])
    team.ask()
    data = team.events()[-1]["data"]
    assert data["price"]["input_per_million_usd"] == 0.15 and data["cost_usd"] == 0.000005, "4.05 rounded up"


def test_another_price_holds_for_later_calls_alone(team):
    team.ask()
    team.provide(prices={"input_per_million_usd": 0, "output_per_million_usd": 2000})
    assert team.usage()["payer"]["cost_usd"] == 0.0057
    team.ask()
    assert team.usage()["payer"]["cost_usd"] == 0.0157


@pytest.mark.parametrize("prices, says", [
    ([], "spec.prices must be an object"),
    ({"m": 3}, 'spec.prices["m"] must be an object'),
    ({"m": {}}, 'spec.prices["m"].input_per_million_usd is required'),
    ({"m": {"input_per_million_usd": "1"}}, 'spec.prices["m"].input_per_million_usd must be a number'),
    ({"m": {"input_per_million_usd": -1}}, 'spec.prices["m"].input_per_million_usd must be a number'),
    ({"m": {"input_per_million_usd": 10001}}, "from 0 to 10000"),
    ({"m": {"input_per_million_usd": 1, "output": 1}}, "must not have output"),
])
def test_prices_that_are_none_are_refused(team, prices, says):
    answer = team.post("/model-providers", {"name": "q", "spec": {"provider": "openai", "prices": prices}})
    assert answer.status == 400 and says in answer.error, answer


def test_absurd_usage_does_no_harm(team):
    team.model.say = lambda body: (200, {"usage": {
        "prompt_tokens": 18446744073709551615, "completion_tokens": 10 ** 30, "total_tokens": -1}})
    for _ in range(3):
        team.api.post(team.base + "/chat/completions", {"model": "m", "messages": ASK})
    assert team.usage()[""]["calls"] == 3
    assert team.spend()["summary"]["total_estimated_spend_usd"] > 0


def test_usage_is_put_together_as_asked(team):
    team.ask({"X-End-User-ID": "ada"})
    team.ask({"X-End-User-ID": "bob"})
    team.ask()
    team.ask(key=team.sluice.key("operator", team.workspace))
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    assert {user: row["calls"] for user, row in team.usage("user").items()} == {"ada": 1, "bob": 1, "": 2}
    assert {agent: row["calls"] for agent, row in team.usage().items()} == {"payer": 3, "": 1}
    assert team.usage("model")["m"]["calls"] == team.usage("provider")["p"]["calls"] == 4
    assert team.usage("day").popitem()[1]["calls"] == 4
    assert team.usage("user", "&agent=payer").keys() == {"ada", "bob", ""}
    assert team.usage("user", "&agent=nobody") == {}
    assert team.usage("day", "&from=2020-01-01&to=2020-12-31") == {}
    assert len(team.usage("user", "&limit=1")) == 1
    assert team.get("/model-usage?limit=1&group_by=user").json["has_more"] is True
    assert team.get(f"/model-usage?from={today[:8]}01").json["group_by"] == "agent"


@pytest.mark.parametrize("query", [
    "group_by=tool", "from=yesterday", "to=2026-02-30", "from=2026-02-02&to=2026-02-01", "from=2020-01-01&to=2026-01-01",
    "limit=0", "limit=x"])
def test_a_bad_question_is_answered_400(team, query):
    assert team.get("/model-usage?" + query).status == 400


def test_a_key_of_one_agent_sees_that_agents_part_alone(team):
    team.ask()
    team.ask(key=team.sluice.key("operator", team.workspace))
    own = team.sluice.client(team.key)
    rows = own.get("/api/v1/model-usage").json["rows"]
    assert [row["agent"] for row in rows] == ["payer"]
    assert own.get("/api/v1/model-spend").json["summary"]["total_estimated_spend_usd"] == 0.0057
    assert own.get("/api/v1/model-usage?agent=other").status == 403


def budgeted(budget, **more):
    return {"llm_configs": [{"role": "chat", "provider": "vllm", "model": "m", "monthly_budget_usd": budget} | more]}


def test_spending_has_the_published_shape(sluice, make_team):
    team = make_team(**budgeted(0.007))
    team.ask()
    contract = Contract(sluice.client(sluice.key("viewer", team.workspace)))
    answer = contract.ask("GET", "/model-spend").json
    assert answer["summary"] == {
        "total_estimated_spend_usd": 0.0057, "total_budget_usd": 0.007, "remaining_budget_usd": 0.0013,
        "budgeted_model_count": 1, "near_budget_count": 1, "blocked_count": 0, "uncapped_spend_usd": 0,
        "period_start": answer["summary"]["period_start"], "period_end": answer["summary"]["period_end"]}
    assert re.fullmatch(r"\d{4}-\d\d-01T00:00:00.0+Z", answer["summary"]["period_start"])
    item, = answer["warnings"]
    assert item in answer["top_models"]
    assert (item["status"], item["agent_name"], item["label"]) == ("Near budget", "payer", "chat: m")
    assert (item["remaining_budget_usd"], item["agent_namespace"]) == (0.0013, team.workspace)
    for path in ("/api/model-spend", "/api/v1/model-spend"):
        assert sluice.client(sluice.key("viewer", team.workspace)).get(path).json == answer
    assert sluice.client(None).get("/api/v1/model-spend").status == 401


def test_a_call_within_the_last_fifth_of_a_budget_says_so(make_team):
    team = make_team(**budgeted(0.012))
    team.ask()
    team.ask()
    first, second = (event["data"] for event in team.events())
    assert (first.get("budget"), second.get("budget"), second["role"]) == (None, "near", "chat")


def test_a_spent_budget_stops_the_next_call_before_it_is_sent(make_team):
    team = make_team(**budgeted(0.01))
    team.ask()
    list(team.ask(stream=True, stream_options={"include_usage": True}))
    sent = team.model.calls.qsize()
    for stream in (False, True):
        with pytest.raises(openai.APIStatusError) as caught:
            team.ask(stream=stream)
        assert caught.value.status_code == 402
        answer = caught.value.response.json()
        assert answer["code"] == "BUDGET_REACHED" and (answer["budget_usd"], answer["spent_usd"]) == (0.01, 0.0114)
        assert "monthly_budget_usd" in answer["error"] and "0.01 USD" in answer["error"]
    assert team.model.calls.qsize() == sent
    assert team.events()[-1]["type"] == "model_call.refused" and team.events()[-1]["data"]["refused"] == "budget"
    row = team.usage()["payer"]
    assert (row["calls"], row["refused_calls"]) == (2, 2)
    assert team.spend()["summary"]["blocked_count"] == 1 and team.spend()["warnings"][0]["status"] == "Budget reached"
    team.deploy(**budgeted(0.02))
    team.ask()


def test_a_budget_is_for_its_model_and_provider_alone(make_team):
    team = make_team(**budgeted(0, model_provider="q"))
    team.ask()
    team.provide("q")
    team.sdk().chat.completions.create(model="m", messages=ASK)
    with pytest.raises(openai.APIStatusError) as caught:
        openai.OpenAI(base_url=f"{team.sluice.url}/v1/p/q", api_key=team.key, max_retries=0).chat.completions.create(
            model="m", messages=ASK)
    assert caught.value.status_code == 402


def test_a_budget_for_everything_stops_every_model(make_team):
    team = make_team(monthly_budget_usd=0.005)
    team.ask()
    with pytest.raises(openai.APIStatusError) as caught:
        team.ask()
    assert caught.value.status_code == 402 and "all its models" in caught.value.response.json()["error"]
    assert team.spend()["summary"]["total_budget_usd"] == 0.005
    assert team.spend()["warnings"][0]["label"] == "all models"
    # Nobody else's call is stopped by it.
    team.ask(key=team.sluice.key("operator", team.workspace))


def test_a_key_for_any_agent_spends_for_the_one_whose_run_it_names(make_team):
    team = make_team(**budgeted(0.005))
    key = team.sluice.key("operator", team.workspace)
    run = team.post("/runs", {"agent_id": "payer", "user_id": "ada"}).json["id"]
    team.ask({"X-Run-ID": run}, key)
    assert team.usage()["payer"]["calls"] == 1
    with pytest.raises(openai.APIStatusError) as caught:
        team.ask({"X-Run-ID": run}, key)
    assert caught.value.status_code == 402
    team.ask(key=key)


def test_a_new_month_has_its_budget_again(faulty):
    team = MeteredTeam(faulty(), **budgeted(0.005))
    team.ask()
    with pytest.raises(openai.APIStatusError):
        team.ask()
    team.sluice.set_clock_ahead(32 * 86_400)
    assert team.spend()["summary"]["total_estimated_spend_usd"] == 0 and team.spend()["warnings"] == []
    team.ask()
    assert team.spend()["summary"]["blocked_count"] == 1
    assert len(team.usage("day", "&from=" + (datetime.date.today() - datetime.timedelta(2)).isoformat())) == 2
    team.model.close()


def test_what_cannot_be_recorded_is_not_asked(faulty):
    team = MeteredTeam(faulty())
    (team.sluice.faults / "fdatasync").write_text(str(errno.EIO))
    assert team.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 503
    answer = team.api.post(team.base + "/chat/completions", {"model": "m", "messages": ASK})
    assert answer.status == 503 and answer.headers["sluice-error-code"] == "stopped" and team.model.calls.empty()
    team.model.close()


@pytest.mark.parametrize("body", [
    {"llm_configs": [{"model": "m", "monthly_budget_usd": "5"}]}, {"llm_configs": [{"model": "m", "monthly_budget_usd": -1}]},
    {"llm_configs": ["m"]}, {"llm_configs": [{"model": 7}]}, {"monthly_budget_usd": True},
    {"llm_config": {"model": "m", "monthly_budget_usd": 1e300}}])
def test_a_deploy_with_a_budget_that_is_none_is_refused(team, body):
    answer = team.post("/deploy", {"agent_name": "x", "image": "i"} | body)
    assert answer.status == 400 and ("budget" in answer.error or "llm_configs[0]" in answer.error), answer


def test_a_rebuild_gives_identical_answers(own_sluice):
    sluice = own_sluice()
    team = MeteredTeam(sluice, **budgeted(0.01))
    try:
        team.ask({"X-End-User-ID": "ada"})
        team.ask()
        with pytest.raises(openai.APIStatusError):
            team.ask()
        paths = ["/model-spend", "/agents/payer/config"] + [
            f"/model-usage?group_by={group}" for group in ("agent", "user", "model", "provider", "day")]
        before = [team.get(path).content for path in paths]
        assert sluice.stop() == 0
        assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
        sluice.start()
        assert [team.get(path).content for path in paths] == before
        with pytest.raises(openai.APIStatusError) as caught:
            team.ask()
        assert caught.value.status_code == 402, "the budget is as spent as before"
    finally:
        team.model.close()


def test_a_run_of_the_agent_has_the_call_and_another_agents_has_not(team):
    def run(agent):
        answer = team.post("/runs", {"agent_id": agent, "user_id": "ada"})
        assert answer.status == 201
        return answer.json["id"]
    own, other = run("payer"), run("somebody")
    team.ask({"X-Run-ID": own, "X-End-User-ID": "not-ada"})
    team.ask({"X-Run-ID": other})
    team.ask({"X-Run-ID": "no-run"})
    streams = [event["stream"].split("/")[0] for event in team.events()]
    assert streams == ["run", "modelProvider", "modelProvider"]
    assert team.events()[0]["run_id"] == own and team.events()[0]["data"]["user_id"] == "ada"
    assert team.get(f"/runs/{own}/events").json == [], "a run that its client drives shows what is documented"


def test_the_timeline_of_a_run_that_sluice_drives_shows_its_calls(world):
    world.deploy(llm_configs=[{"role": "chat", "model": world.model_name, "monthly_budget_usd": 0}])
    run = world.agents.start(world.agent_name)
    world.agents.finished(run)
    calls = [event for event in world.agents.events(run) if event["type"] == "LLM_CALL"]
    assert [call["data"]["refused"] for call in calls] == ["budget"] * len(calls) and calls
    world.deploy()
    run = world.agents.start(world.agent_name)
    assert world.agents.finished(run)["status"] == "COMPLETED"
    call, = [event for event in world.agents.events(run) if event["type"] == "LLM_CALL"]
    assert (call["data"]["model"], call["data"]["user_id"]) == (world.model_name, "ada")
    assert call["data"]["prompt_tokens"] == 7 and call["run_id"] == run


def test_calls_of_two_runs_at_once_are_told_apart_by_the_runtimes_request_id(world):
    world.deploy()
    # None is answered before all are asked: so the agent is at three runs at once.
    together = threading.Barrier(3, timeout=60)

    def say(body):
        together.wait()
        return words("hello")
    world.model.say = say
    runs = [world.agents.start(world.agent_name, f"message {number}") for number in range(3)]
    for run in runs:
        assert world.agents.finished(run)["status"] == "COMPLETED"
        assert world.types(run).count("LLM_CALL") == 1
    assert [world.model.next_call()[1].get("x-request-id") for _ in runs] == [None] * 3, "it goes no further"


def test_the_command_line_shows_spending(team):
    team.deploy(**budgeted(0.5))
    team.ask()
    ran = team.sluice.run(
        "spend", "--url", team.sluice.url, SLUICE_API_KEY=team.sluice.key("viewer", team.workspace))
    assert ran.returncode == 0, ran.stderr
    assert "0.0057 USD" in ran.stdout and re.search(r"payer +chat: m +0.0057 +0.5 +Active", ran.stdout), ran.stdout


def test_metrics_count_calls(team):
    team.ask()
    text = team.api.get("/metrics").content.decode()
    assert 'sluice_model_calls_total{provider="p",model="m",outcome="answered"}' in text
    assert "sluice_model_tokens_total" in text and "sluice_model_cost_micro_usd_total" in text
