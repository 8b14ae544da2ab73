"""Members of a body that mean nothing are named: in the answer's warnings, or as a 400 for a client that is strict."""

import pytest

STRICT = {"Prefer": "handling=strict"}
AGENT = {"agent_name": "strict", "image": "i", "invoke_url": "http://127.0.0.1:9/"}
TOOL = {"name": "strict", "spec": {"connection": {"baseUrl": "https://bank.test"}}}
PROVIDER = {"name": "strict", "spec": {"provider": "openai", "models": ["m"]}}
RUN = {"agent_id": "strict", "user_id": "ada"}
#: Path, body and misspelt member with its place.
BODIES = [
    ("/api/v1/deploy", AGENT | {"polices": ["p"]}, "polices", "policies"),
    ("/api/deploy", AGENT | {"polices": ["p"]}, "polices", "policies"),
    ("/api/v1/deploy", AGENT | {"llm_configs": [{"model": "m", "montly_budget_usd": 1}]},
     "llm_configs[0].montly_budget_usd", "monthly_budget_usd"),
    ("/api/v1/deploy", AGENT | {"env": [{"name": "A", "valeu": "1"}]}, "env[0].valeu", "value"),
    ("/api/v1/deploy", AGENT | {"tools_to_create": [{"name": "t", "base_url": "https://t.test", "prot": 1}]},
     "tools_to_create[0].prot", "port"),
    ("/api/v1/tools", TOOL | {"crednetials": {}}, "crednetials", "credentials"),
    ("/api/v1/tools", {"name": "strict", "spec": TOOL["spec"] | {"capabilites": []}}, "spec.capabilites", "capabilities"),
    ("/api/v1/tools", {"name": "strict", "spec": {"connection": {"baseUrl": "https://bank.test", "prot": 1}}},
     "spec.connection.prot", "port"),
    ("/api/v1/model-providers", {"name": "strict", "spec": PROVIDER["spec"] | {"rateLimt": {}}},
     "spec.rateLimt", "rateLimit"),
    ("/api/v1/policies", {"name": "strict", "spec": {"policies": []}, "spce": {}}, "spce", "spec"),
    ("/api/v1/auth/api-keys", {"name": "strict", "role": "viewer", "gruops": ["finance"]}, "gruops", "groups"),
    ("/api/v1/auth/api-keys", {"name": "strict", "role": "viewer", "expireInDays": 3}, "expireInDays", "expiresInDays"),
    ("/runs", RUN | {"converstaion_id": "c"}, "converstaion_id", "conversation_id"),
    ("/api/v1/deploy-drafts", {"agent_config": {"agnet_name": "a"}}, "agent_config.agnet_name", "agent_name"),
]


@pytest.fixture(autouse=True, scope="module")
def schemas_are_read(sluice):
    """Only strict handling waits for them after a start."""
    assert sluice.client().post("/api/v1/tools", {}, headers=STRICT).status == 400


@pytest.mark.parametrize("path, body, place, known", BODIES)
def test_an_unknown_member_is_named_in_the_answer(api, path, body, place, known):
    answer = api.post(path, body)
    assert answer.status in (200, 201), answer
    warning, = [warning for warning in answer.json["warnings"] if "unknown member" in warning]
    assert warning.startswith(f"unknown member {place} is ignored: known are ") and known in warning


@pytest.mark.parametrize("path, body, place, known", BODIES)
def test_a_strict_request_with_an_unknown_member_is_refused_and_does_nothing(api, path, body, place, known):
    answer = api.post(path, body, headers=STRICT)
    assert answer.status == 400 and answer.error.startswith(f"unknown member {place}: known are "), answer
    assert known in answer.error and answer.headers["preference-applied"] == "handling=strict"


@pytest.mark.parametrize("path, body", [
    ("/api/v1/deploy", AGENT), ("/api/deploy", AGENT | {"namespace": "default"}), ("/api/v1/tools", TOOL),
    ("/api/v1/tools", {"name": "flat", "base_url": "https://x.test", "description": "d", "auth_type": "None", "port": 443,
                       "scheme": "HTTPS"}),
    ("/api/v1/model-providers", PROVIDER), ("/runs", RUN | {"message": "hello"}),
    ("/api/v1/deploy", {"name": "strict", "image": "i", "llm_config": {"model": "m", "provider": "openai"},
                        "monthly_budget_usd": 3, "labels": {"team": "a"}, "invoke_url": "http://127.0.0.1:9/"})])
def test_known_members_and_their_aliases_bring_no_warning(api, path, body):
    answer = api.post(path, body, headers=STRICT)
    assert answer.status == 201 and answer.headers["preference-applied"] == "handling=strict", answer
    assert not [warning for warning in answer.json.get("warnings", []) if "unknown" in warning]


def test_every_unknown_member_is_named_and_each_keeps_its_place(api):
    answer = api.post("/api/v1/deploy", AGENT | {"polices": [], "tols": []}, headers=STRICT)
    assert "polices" in answer.error and "unknown too: tols" in answer.error


def test_what_an_agent_is_invoked_with_has_members_of_its_own(api):
    answer = api.post("/api/v1/agents/none-such/invoke", {"message": "m", "anything": 1}, headers=STRICT)
    assert answer.status == 404, answer
