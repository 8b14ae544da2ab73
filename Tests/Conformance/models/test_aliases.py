"""Other names of models, and patterns of names: which provider a name leads to is never a matter of chance."""

import itertools
import json

import anthropic
import openai
import pytest

from models.byte_provider import ByteProvider, provider  # noqa: F401 - fixture
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
REPLY = {"id": "c", "object": "chat.completion", "created": 1, "model": "what-the-provider-calls-it",
         "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, "choices": [{
             "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
numbers = itertools.count()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("aliases")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def api(sluice):
    return sluice.client()


@pytest.fixture
def model(api, provider):
    provider.say(REPLY)
    return provider.store(api)


def put(api, name, target, provider=None, status=201):
    spec = {"provider": provider or f"of-{target}"} | ({"model": target} if target else {})
    answer = api.put("/api/v1/model-aliases/" + name, {"spec": spec})
    assert answer.status == status, answer
    return answer


def ask(sluice, name, path="/v1/chat/completions"):
    return sluice.client(sluice.key("agent")).post(path, {"model": name, "messages": ASK, "max_tokens": 9})


def asked(provider):
    return json.loads(provider.calls.get(timeout=30)[1])["model"]


def calls(sluice, model):
    answer = sluice.run("log", "cat", "--data-dir", sluice.data)
    return [event["data"] for event in map(json.loads, answer.stdout.split("\n")[:-1])
            if event["type"].startswith("model_call.") and event["data"]["model"] == model]


def test_both_sdks_reach_the_model_of_a_pattern_and_of_a_name(sluice, api, provider, model):
    put(api, f"{model}-sonnet-*", model)
    put(api, f"vendor/{model}:latest", model)
    key = sluice.key("agent")
    chat = openai.OpenAI(base_url=sluice.url + "/v1", api_key=key, max_retries=0).chat.completions
    for name in (f"{model}-sonnet-4-5-20250929", f"vendor/{model}:latest"):
        answer = chat.create(model=name, messages=ASK)
        assert answer.choices[0].message.content == "hello" and asked(provider) == model
        assert answer.model == REPLY["model"], "the model of an answer is the provider's word"
        messages = anthropic.Anthropic(base_url=sluice.url, api_key=key, max_retries=0).messages
        answer = messages.create(model=name, messages=ASK, max_tokens=9)
        assert answer.content[0].text == "hello" and asked(provider) == model and answer.model == model


def test_what_was_asked_and_what_was_called_are_recorded_and_the_called_one_is_billed(sluice, api, model):
    put(api, f"{model}-*", model)
    assert ask(sluice, f"{model}-dated").status == 200
    assert ask(sluice, model).status == 200
    by_alias, by_name = calls(sluice, model)
    assert by_alias["asked_model"] == f"{model}-dated" and "asked_model" not in by_name
    assert by_alias["cost_usd"] == by_name["cost_usd"] == 0.006


def test_without_a_model_the_provider_is_asked_for_the_name_itself(sluice, api, provider, model):
    put(api, f"{model}-any-*", None, f"of-{model}")
    assert ask(sluice, f"{model}-any-thing").status == 200 and asked(provider) == f"{model}-any-thing"


@pytest.mark.parametrize("first, second", [
    ("tie-*", "tie-*-mini"), ("tied-*-mini", "tied-*o-mini"), ("ties-*a*", "ties-*b*")])
def test_two_patterns_that_tie_are_refused_with_the_other_ones_name(api, model, first, second):
    put(api, first, model)
    answer = put(api, second, model, status=409)
    assert f'"{first}"' in answer.error and answer.headers["sluice-error-code"] == "model_alias_ambiguous"
    assert api.delete("/api/v1/model-aliases/" + first).status == 200
    put(api, second, model)


def test_a_name_counts_before_a_pattern_and_the_longest_beginning_before_shorter_ones(sluice, api, model):
    others = {each: ByteProvider() for each in ("*", "best-*", "best-of-*", "best-of-all")}
    for alias, other in others.items():
        other.say(REPLY)
        put(api, alias, other.store(api))
    for name, alias in [("best-of-all", "best-of-all"), ("best-of-these", "best-of-*"), ("best-one", "best-*"),
                        ("anything/else", "*")]:
        answer = ask(sluice, name)
        assert answer.status == 200 and [a for a, other in others.items() if other.calls.qsize()] == [alias], name
        others[alias].calls.get()
    # A listed model counts before a pattern.
    assert ask(sluice, model).headers["sluice-provider"] == f"of-{model}"
    for alias, other in others.items():
        assert api.delete("/api/v1/model-aliases/" + alias).status == 200
        other.close()
    assert ask(sluice, "best-of-all").status == 404


def test_a_name_counts_before_a_listed_model_and_leads_to_no_other_alias(sluice, api, provider, model):
    other = provider.store(api)
    put(api, model, other)
    put(api, other, model)
    assert ask(sluice, model).status == 200 and asked(provider) == other
    assert ask(sluice, other).status == 200 and asked(provider) == model


def test_an_address_with_a_provider_takes_no_alias_of_another(sluice, api, provider, model):
    put(api, f"{model}-x", model)
    answer = ask(sluice, f"{model}-x", f"/v1/p/of-{model}/chat/completions")
    assert answer.status == 200 and asked(provider) == model
    other = provider.store(api)
    assert ask(sluice, f"{model}-x", f"/v1/p/of-{other}/chat/completions").status == 404


def test_an_alias_is_read_listed_changed_and_deleted(sluice, api, model):
    name = f"team/{model}*"
    shown = put(api, name, model).json
    assert (shown["name"], shown["spec"]) == (name, {"provider": f"of-{model}", "model": model})
    assert api.get("/api/v1/model-aliases/" + name).json["spec"] == shown["spec"]
    assert api.get(f"/api/v1/model-aliases/team%2F{model}%2A").json["name"] == name
    assert name in [each["name"] for each in api.get("/api/v1/model-aliases").json]
    answer = api.post("/api/v1/model-aliases", {"name": name, "spec": {"provider": f"of-{model}"}})
    assert answer.status == 201 and "model" not in answer.json["spec"]
    assert api.delete("/api/v1/model-aliases/" + name).status == 200
    for method in (api.get, api.delete):
        assert method("/api/v1/model-aliases/" + name).status == 404
    for role, status in [("viewer", 403), ("agent", 403), ("operator", 201)]:
        answer = sluice.client(sluice.key(role)).put(
            "/api/v1/model-aliases/" + name, {"spec": {"provider": f"of-{model}"}})
        assert answer.status == status, role


@pytest.mark.parametrize("body, word", [
    ({}, "spec is required"), ({"spec": {}}, "provider is required"),
    ({"spec": {"provider": "no-such-provider"}}, "no-such-provider"),
    ({"spec": {"provider": 7}}, "provider must be a string"), ({"spec": {"provider": "p", "model": "a*"}}, "spec.model"),
    ({"name": "other", "spec": {"provider": "p"}}, "name must be that of the path")])
def test_an_alias_that_cannot_work_is_refused(api, body, word):
    answer = api.put("/api/v1/model-aliases/some-alias", body)
    assert answer.status == 400 and word in answer.error


def test_an_alias_of_a_deleted_provider_says_so(sluice, api, model):
    put(api, f"{model}-lost", model)
    assert api.delete(f"/api/v1/model-providers/of-{model}").status == 200
    answer = ask(sluice, f"{model}-lost")
    assert answer.status == 404 and f'"of-{model}", which is not registered' in answer.error


def test_the_budget_of_an_alias_holds_for_the_model_that_is_called(sluice, api, model):
    put(api, f"{model}-budget", model)
    agent = f"agent-of-{model}"
    deployed = api.post("/api/v1/deploy", {"agent_name": agent, "image": "i:1", "llm_configs": [
        {"role": "chat", "model": f"{model}-budget", "monthly_budget_usd": 0.01}]})
    assert deployed.status == 201, deployed
    key = api.post("/api/v1/auth/api-keys", {"name": agent, "role": "agent", "agent": agent}).json["token"]
    client = sluice.client(key)
    statuses = [client.post("/v1/chat/completions", {"model": name, "messages": ASK}).status
                for name in (f"{model}-budget", model, f"{model}-budget", model)]
    assert statuses == [200, 200, 402, 402]


def test_aliases_are_in_exports_and_come_back(sluice, api, model):
    put(api, f"kept-{model}-*", model)
    export = api.get("/api/v1/context/export").json
    found = [each for each in export["resources"]["model_aliases"] if each["name"] == f"kept-{model}-*"]
    assert [each["spec"]["model"] for each in found] == [model]
