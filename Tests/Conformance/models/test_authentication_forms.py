"""A way of authentication that would fail each call is refused when it is stored; documented forms work."""

import pytest

from scripted_provider import Bedrock
from sluice_process import SluiceProcess

ASK = [{"role": "user", "content": "a question"}]
CONFIGS = [
    {"awsConfig": {"region": "eu-west-1", "service": "bedrock"}}, {"awsSignatureConfig": {"region": "eu-west-1"}},
    {"awsConfig": {"region": "eu-west-1"}}, {"region": "eu-west-1"}]
USELESS = [
    ({"type": "AWSSignature"}, "region"), ({"type": "AWSSignature", "awsConfig": {"region": ""}}, "region"),
    ({"type": "awssignature"}, "awssignature"), ({"type": "Basic"}, "Basic"), ({"type": 7}, "type must be a string"),
    ({"type": "APIKey", "apiKeyConfig": {"in": "Cookie", "name": "k"}}, "apiKeyConfig.in"),
    ({"type": "APIKey", "apiKeyConfig": {"in": "Query"}}, "apiKeyConfig.name"),
    ({"type": "APIKey", "apiKeyConfig": {"in": "Header", "name": "X Key"}}, "header"),
    ({"type": "APIKey", "apiKeyConfig": {"valuePrefix": "a\nb"}}, "header"),
    ({"type": "OAuth2", "oauth2Config": {"tokenUrl": "https://t.test", "clientAuthentication": "magic"}},
     "clientAuthentication")]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("auth")).start()
    yield process
    assert process.stop() == 0


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_bedrock_is_signed_for_in_each_documented_form(sluice, config):
    bedrock = Bedrock()
    bedrock.auth = {"type": "AWSSignature"} | config
    stored = sluice.client().post("/api/v1/model-providers", {
        "name": "of-amazon", "credentials": bedrock.credentials, "spec": bedrock.spec("titan")})
    assert stored.status == 201, stored
    answer = sluice.client(sluice.key("agent")).post("/v1/chat/completions", {"model": "titan", "messages": ASK})
    assert answer.status == 200, answer
    bedrock.close()  # It holds each signature against botocore's.


@pytest.mark.parametrize("auth, word", USELESS, ids=range(len(USELESS)))
def test_what_would_fail_each_call_is_refused_for_providers_and_tools(sluice, auth, word):
    for path, body in [
            ("/model-providers", {"spec": {"provider": "vllm", "endpoint": "http://127.0.0.1:1", "models": ["m"], "auth": auth}}),
            ("/tools", {"spec": {"connection": {"baseUrl": "http://127.0.0.1:1", "authentication": auth}}})]:
        answer = sluice.client().post("/api/v1" + path, {"name": "useless"} | body)
        assert answer.status == 400 and word in answer.error, answer
        assert sluice.client().get(f"/api/v1{path}/useless").status == 404


def test_consent_is_for_tools_alone(sluice):
    auth = {"type": "OAuth2", "oauth2Config": {"tokenUrl": "https://t.test/t", "authUrl": "https://t.test/a"}}
    answer = sluice.client().post("/api/v1/model-providers", {
        "name": "useless", "spec": {"provider": "vllm", "endpoint": "http://127.0.0.1:1", "auth": auth}})
    assert answer.status == 400 and "authUrl" in answer.error
    tool = {"name": "mail", "spec": {"connection": {"baseUrl": "https://mail.test", "authentication": auth}}}
    assert sluice.client().post("/api/v1/tools", tool).status == 201


def test_a_tool_is_signed_for_by_the_shorter_name_too(sluice):
    for member in ("awsConfig", "awsSignatureConfig"):
        auth = {"type": "AWSSignature", member: {"region": "eu-west-1", "service": "s3"}}
        tool = {"name": f"by-{member.lower()}", "spec": {"connection": {"baseUrl": "https://s3.test", "authentication": auth}}}
        assert sluice.client().post("/api/v1/tools", tool).status == 201
    auth = {"type": "AWSSignature", "awsConfig": {"region": "eu-west-1"}}
    tool = {"name": "no-service", "spec": {"connection": {"baseUrl": "https://s3.test", "authentication": auth}}}
    answer = sluice.client().post("/api/v1/tools", tool)
    assert answer.status == 400 and "a region and a service" in answer.error
