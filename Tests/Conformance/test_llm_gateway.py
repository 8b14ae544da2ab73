"""Calls of models go to the provider that lists the model, with its key, and come back as they come."""

import ipaddress
import itertools
import json
import socket

import openai
import pytest

from scripted_model import ScriptedModel, words
from sluice_process import SluiceProcess, free_port

KEY = "sk-of-the-provider-0123456789"
ASK = [{"role": "user", "content": "a question"}]
numbers = itertools.count()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("models"), {"SLUICE_LLM_TIMEOUT": "2s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def model():
    model = ScriptedModel()
    yield model
    model.close()


@pytest.fixture
def provide(api):
    """Registers a provider of a model of its own; returns the model's name."""
    def provide(endpoint, provider="openai", **spec):
        name = f"model-{next(numbers)}"
        answer = api.post("/api/v1/model-providers", {
            "name": f"provider-of-{name}", "credentials": {"api_key": KEY},
            "spec": {"provider": provider, "endpoint": endpoint, "models": [name], "auth": {
                "type": "APIKey", "apiKeyConfig": {"in": "Header", "name": "Authorization", "valuePrefix": "Bearer"}}}
            | spec})
        assert answer.status == 201, answer
        return name
    return provide


def sdk(sluice, path="/v1", key=None, **options):
    return openai.OpenAI(
        base_url=sluice.url + path, api_key=key or sluice.key("agent"), max_retries=0, timeout=30, **options)


def ask(api, model, path="/v1/chat/completions", **more):
    return api.post(path, {"model": model, "messages": ASK} | more)


def test_the_published_sdk_gets_the_models_answer(sluice, model, provide):
    name = provide(model.url)
    answer = sdk(sluice).chat.completions.create(model=name, messages=ASK, temperature=0.25)
    assert answer.choices[0].message.content == "hello" and answer.usage.total_tokens == 12
    path, headers, content = model.next_call()
    assert path == "/v1/chat/completions"
    assert json.loads(content) == {"model": name, "messages": ASK, "temperature": 0.25}
    assert headers["authorization"] == f"Bearer {KEY}"


def test_the_body_goes_on_byte_for_byte(api, model, provide):
    name = provide(model.url)
    content = b'{ "messages":[],"x": 1.0e2,\n"model":"%s" , "\\u0041": "\\/"}' % name.encode()
    assert api.post("/v1/chat/completions", content=content).status == 200
    assert model.next_call()[2] == content


def test_what_is_the_callers_own_does_not_reach_the_provider(api, model, provide):
    name = provide(model.url)
    api.post("/v1/chat/completions", {"model": name}, headers={
        "X-RunAgents-API-Key": api.headers["Authorization"].removeprefix("Bearer "), "Cookie": "a=b",
        "X-End-User-Id": "ada", "X-Run-Id": "r", "X-Forwarded-For": "10.0.0.1", "Accept": "application/json"})
    headers = model.next_call()[1]
    assert set(headers) == {
        "accept", "accept-encoding", "authorization", "content-type", "content-length", "host", "via"}
    assert headers["accept-encoding"] == "identity"
    assert "conformance" not in str(headers)


def test_a_stream_comes_as_the_model_writes_it(sluice, model, provide):
    name = provide(model.url)
    model.say = lambda body: words("one two three")
    stream = sdk(sluice).chat.completions.create(model=name, messages=ASK, stream=True, extra_body={"hold": True})
    chunks = iter(stream)
    assert next(chunks).choices[0].delta.content == "one ", "before the model goes on"
    model.go_on.release(2)
    rest = [chunk.choices[0] for chunk in chunks]
    assert [each.delta.content for each in rest] == ["two ", "three ", None] and rest[-1].finish_reason == "stop"


@pytest.mark.parametrize("path", [
    "/v1", "/api/v1", "/api/v1/v1", "/v1/p/default", "/v1/p/{provider}", "/api/v1/v1/p/default",
    "/api/v1/workspaces/default"])
def test_every_published_address_leads_to_models(api, model, provide, path):
    name = provide(model.url)
    path = path.format(provider=f"provider-of-{name}")
    assert ask(api, name, path + "/chat/completions").status == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/p/default"])
def test_an_agents_address_is_its_key(sluice, model, provide, path):
    name = provide(model.url)
    base = f"/as/{sluice.key('agent')}"
    answer = sdk(sluice, base + path, "platform-managed").chat.completions.create(model=name, messages=ASK)
    assert answer.choices[0].message.content == "hello"
    assert model.next_call()[1]["authorization"] == f"Bearer {KEY}"
    assert sluice.client(None).get(base + "/healthz").status == 200


def test_embeddings_go_the_same_way(sluice, model, provide):
    name = provide(model.url)
    model.say = lambda body: (200, {"object": "list", "model": name, "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    answer = sdk(sluice).embeddings.create(model=name, input="text", encoding_format="float")
    assert answer.data[0].embedding == [0.5, 0.25]
    assert model.next_call()[0] == "/v1/embeddings"


@pytest.mark.parametrize("endpoint, path", [
    ("", "/v1/chat/completions"), ("/", "/v1/chat/completions"), ("/v1", "/v1/chat/completions"),
    ("/openai/v1/", "/openai/v1/chat/completions"), ("/v1/chat/completions", "/v1/chat/completions"),
    ("/d?api-version=3", "/d/chat/completions?api-version=3")])
def test_an_endpoint_may_be_a_host_or_a_base(api, model, provide, endpoint, path):
    assert ask(api, provide(model.url + endpoint)).status == 200
    assert model.next_call()[0] == path


def test_a_provider_of_another_name_is_taken_to_speak_openais_format(api, model, provide):
    assert ask(api, provide(model.url, provider="vllm")).status == 200


def test_what_is_missing_is_said(api, model, provide):
    name = provide(model.url)
    for body in ({}, {"model": ""}, {"model": None}):
        answer = api.post("/v1/chat/completions", body)
        assert (answer.status, answer.error) == (400, "model is required")
    assert api.post("/v1/chat/completions", {"model": 7}).status == 400
    assert api.post("/v1/chat/completions", content=b"{").status == 400
    for path in ("/v1", "/v1/p/default"):
        answer = ask(api, "no-such", path + "/chat/completions")
        assert (answer.status, answer.error) == (404, 'no provider found for model "no-such"')
    answer = ask(api, name, "/v1/p/another/chat/completions")
    assert (answer.status, answer.error) == (404, f'no provider found for model "{name}"')
    assert api.get("/v1/chat/completions").status == 405
    assert model.calls.empty()


def test_who_may_not_call_models_does_not(sluice, model, provide):
    name = provide(model.url)
    assert ask(sluice.client(None), name).status == 401
    assert ask(sluice.client(sluice.key("viewer")), name).status == 403
    assert ask(sluice.client(sluice.key("agent", "elsewhere")), name).status == 404, "of another workspace"
    assert model.calls.empty()


@pytest.mark.parametrize("status", [400, 404, 422, 429])
def test_what_the_provider_says_of_the_request_is_passed_on(sluice, model, provide, status):
    name = provide(model.url)
    model.say = lambda body: (status, {"error": {"message": "of the model", "type": "t"}}, [("Retry-After", "7"),
                                                                                         ("Set-Cookie", "a=b")])
    with pytest.raises(openai.APIStatusError) as caught:
        sdk(sluice).chat.completions.create(model=name, messages=ASK)
    assert caught.value.status_code == status and caught.value.body["message"] == "of the model"
    assert caught.value.response.headers["retry-after"] == "7"
    assert "set-cookie" not in caught.value.response.headers


@pytest.mark.parametrize("status, document", [
    (status, {"error": f"you sent {KEY}"}) for status in (301, 302, 307, 401, 403)] + [(500, {}), (503, None)])
def test_what_is_wrong_with_the_provider_is_a_502(api, model, provide, status, document):
    target = ScriptedModel()
    model.say = lambda body: (status, document, [("Location", target.url)])
    answer = ask(api, provide(model.url))
    assert (answer.status, answer.error) == (502, "provider request failed")
    assert str(status) in answer.json["detail"] and KEY not in str(answer)
    assert target.calls.empty(), "redirects are not followed"
    target.close()


def test_a_provider_that_is_not_there_is_a_502(api, provide):
    answer = ask(api, provide(f"http://127.0.0.1:{free_port()}"))
    assert (answer.status, answer.error) == (502, "provider request failed")


def test_a_provider_that_is_silent_is_a_502(api, model, provide):
    name = provide(model.url)
    model.say = lambda body: model.go_on.acquire(timeout=30)
    answer = ask(api, name)
    assert (answer.status, answer.error) == (502, "provider request failed")
    model.go_on.release()


def test_a_stream_that_falls_silent_is_cut_off(sluice, model, provide):
    name = provide(model.url)
    model.say = lambda body: words("one two")
    stream = iter(sdk(sluice).chat.completions.create(
        model=name, messages=ASK, stream=True, extra_body={"hold": True}))
    assert next(stream).choices[0].delta.content == "one "
    with pytest.raises(Exception, match="incomplete|closed|peer"):
        next(stream)
    model.go_on.release()


def test_names_do_not_lead_into_the_own_network_unless_that_is_said(api, model, provide):
    name = socket.gethostname()
    try:
        address = ipaddress.ip_address(socket.gethostbyname(name))
    except OSError:
        address = None
    if name == "localhost" or address is None or not address.is_loopback:
        pytest.skip("this host has no name for its loopback address but localhost")
    port = model.url.rsplit(":", 1)[1]
    answer = ask(api, provide(f"http://{name}:{port}"))
    assert (answer.status, answer.error) == (502, "provider request failed")
    assert "spec.topology Internal" in answer.json["detail"]
    assert model.calls.empty()
    assert ask(api, provide(f"http://{name}:{port}", topology="Internal")).status == 200


def test_an_endpoint_that_leads_back_is_found_out(sluice, api, provide):
    # The credentials are the admin's: the call comes back as one that is allowed.
    name = f"model-{next(numbers)}"
    api.post("/api/v1/model-providers", {
        "name": name, "credentials": {"api_key": api.headers["Authorization"].removeprefix("Bearer ")},
        "spec": {"provider": "openai", "endpoint": sluice.url, "models": [name], "auth": {"type": "APIKey"}}})
    answer = ask(api, name)
    assert (answer.status, answer.error) == (502, "provider request failed")
    assert "leads back to Sluice itself" in answer.json["detail"], "the second time round is the last"


def test_a_missing_key_is_named(api, model):
    name = f"model-{next(numbers)}"
    api.post("/api/v1/model-providers", {
        "name": name, "spec": {"endpoint": model.url, "provider": "openai", "models": [name],
                               "auth": {"type": "APIKey"}}})
    answer = ask(api, name)
    assert (answer.status, answer.error) == (502, "provider request failed")
    assert "sluice secrets set api_key" in answer.json["detail"]


def test_places_are_given_back(own_sluice, model):
    sluice = own_sluice(SLUICE_LLM_CALLS_MAX="1")
    api = sluice.client()
    api.post("/api/v1/model-providers", {
        "name": "p", "spec": {"provider": "openai", "endpoint": model.url, "models": ["m"]}})
    model.say = lambda body: words("one two")
    stream = sdk(sluice).chat.completions.create(model="m", messages=ASK, stream=True, extra_body={"hold": True})
    assert next(iter(stream)).choices[0].delta.content == "one "
    assert ask(api, "m").status == 429
    model.go_on.release()
    list(stream)
    for _ in range(3):
        assert ask(api, "m").status == 200


def test_the_key_is_nowhere_in_clear(sluice, api, model, provide):
    name = provide(model.url)
    ask(api, name)
    provide(f"http://127.0.0.1:{free_port()}")
    assert KEY not in sluice.output.read_text()
    for path in sluice.data.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in str(api.get("/api/v1/model-providers").json)


ODD = "a\0b"


def test_nul_in_messages_reaches_the_model_and_comes_back(api, model, provide):
    name = provide(model.url)
    model.say = lambda body: words(body["messages"][-1]["content"])
    messages = [*ASK, {"role": "tool", "tool_call_id": "1", "content": ODD}]
    answer = api.post("/v1/chat/completions", {"model": name, "messages": messages})
    assert answer.status == 200 and answer.json["choices"][0]["message"]["content"] == ODD, answer
    sent = json.loads(model.calls.get(timeout=30)[2])
    assert sent["messages"] == messages


@pytest.mark.parametrize("kind", ["openai", "ollama", "anthropic"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_half_of_a_surrogate_pair_in_a_text_is_no_error_of_the_agents(api, model, provide, kind, path):
    name = provide(model.url, kind)
    content = json.dumps({"model": name, "max_tokens": 9, "messages": [
        {"role": "user", "content": "cut here: \ud83d and \0"}]}).encode()
    assert b"\\ud83d" in content
    answer = api.post(path, content=content)
    assert answer.status != 400, answer
    sent = model.calls.get(timeout=30)[2]
    assert b"\\ud83d" in sent and b"\\u0000" in sent
