"""Both SDKs list and retrieve the models that can be asked for, page by page, and the pages end."""

import anthropic
import openai
import pytest

from sluice_process import SluiceProcess

MODELS = ["a-first", "b/with:parts", "c-third", "d-fourth", "e-fifth"]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("lists")).start()
    api = process.client()
    for name, models in [("one", MODELS[:3]), ("two", MODELS[2:4])]:
        spec = {"provider": "vllm", "endpoint": "http://127.0.0.1:1", "models": models}
        assert api.post("/api/v1/model-providers", {"name": name, "spec": spec}).status == 201
    for name, spec in [("e-fifth", {"provider": "two", "model": "d-fourth"}), ("pattern-*", {"provider": "one"})]:
        assert api.put("/api/v1/model-aliases/" + name, {"spec": spec}).status == 201
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def key(sluice):
    return sluice.key("agent")


def clients(sluice, key, path=""):
    return (openai.OpenAI(base_url=sluice.url + path + "/v1", api_key=key, max_retries=0),
            anthropic.Anthropic(base_url=sluice.url + path, api_key=key, max_retries=0))


def test_both_sdks_list_models_and_aliases(sluice, key):
    chat, messages = clients(sluice, key)
    listed = list(chat.models.list())
    assert [each.id for each in listed] == MODELS
    assert [each.owned_by for each in listed] == ["one", "one", "one", "two", "two"]
    assert all(each.object == "model" and each.created > 1_700_000_000 for each in listed)
    found = list(messages.models.list())
    assert [each.id for each in found] == MODELS
    assert all(each.type == "model" and each.display_name == each.id for each in found)
    assert [int(each.created_at.timestamp()) for each in found] == [each.created for each in listed]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 20])
def test_pages_of_any_size_have_all_models_and_end(sluice, key, limit):
    models = clients(sluice, key)[1].models
    assert [each.id for each in models.list(limit=limit)] == MODELS
    last = models.list(limit=limit, before_id="~")
    assert [each.id for each in last.data] == MODELS[-limit:]
    pages = [[each.id for each in page.data] for page in last.iter_pages()]
    assert sorted(sum(pages, [])) == MODELS


def test_a_page_says_where_it_is(sluice, key):
    api = sluice.client(key)
    page = api.get("/v1/models?limit=2&after_id=a-first").json
    assert [each["id"] for each in page["data"]] == MODELS[1:3]
    assert (page["object"], page["has_more"], page["first_id"], page["last_id"]) == ("list", True, MODELS[1], MODELS[2])
    # A model that is gone is a place in the order all the same.
    assert [each["id"] for each in api.get("/v1/models?after_id=bzz").json["data"]] == MODELS[2:]
    assert api.get("/v1/models?after_id=z").json | {"object": ""} == {
        "object": "", "data": [], "has_more": False, "first_id": None, "last_id": None}
    for query in ("limit=0", "limit=x", "limit=1001", "after_id=a&before_id=b"):
        answer = api.get("/v1/models?" + query)
        assert answer.status == 400 and answer.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", MODELS + ["pattern-of-a-name"])
def test_both_sdks_retrieve_each_by_its_name(sluice, key, name):
    chat, messages = clients(sluice, key)
    assert chat.models.retrieve(name).id == name
    found = messages.models.retrieve(name)
    assert found.id == name and found.type == "model"


def test_a_name_that_leads_nowhere_is_not_found_for_both(sluice, key):
    chat, messages = clients(sluice, key)
    with pytest.raises(openai.NotFoundError, match="no-such-model") as caught:
        chat.models.retrieve("no-such-model")
    assert caught.value.code == "MODEL_UNKNOWN"
    with pytest.raises(anthropic.NotFoundError, match="no-such-model"):
        messages.models.retrieve("no-such-model")


def test_an_address_with_a_provider_lists_its_own(sluice, key):
    chat, _ = clients(sluice, key)
    for base, models in [("/v1/p/two", MODELS[2:]), ("/v1/p/default", MODELS), ("/v1/v1", MODELS)]:
        assert [each.id for each in chat.with_options(base_url=sluice.url + base).models.list()] == models


def test_another_workspace_sees_none_of_them(sluice):
    other = sluice.client(sluice.key("agent", "elsewhere"))
    assert other.get("/v1/models").json["data"] == []
    assert other.get("/v1/models/a-first").status == 404
