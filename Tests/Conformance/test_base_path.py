"""A daemon behind a proxy, under a base path, and pages of other origins that use the API."""

import json

import pytest

from sluice_process import SluiceProcess

BASE = "/sluice"
PAGE = "https://console.example"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = SluiceProcess(tmp_path_factory.mktemp("base"), {
        "SLUICE_BASE_PATH": BASE + "/", "SLUICE_PUBLIC_URL": "https://example.com",
        "SLUICE_CORS_ALLOW_ORIGIN": f"{PAGE}, http://localhost:3000"}).start()
    yield daemon
    assert daemon.stop() == 0


@pytest.mark.parametrize("prefix", [BASE, ""])
def test_every_path_is_served_with_and_without_the_base_path(daemon, prefix):
    api = daemon.client()
    for path in ("/healthz", "/docs", "/openapi.json", "/asyncapi.json", "/runs", "/api/v1/agents", "/api/v1/routes"):
        assert api.get(prefix + path).status == 200, path
    answer = api.post(prefix + "/runs", {"agent_id": "a", "user_id": "u"})
    assert answer.status == 201 and api.get(f"{prefix}/runs/{answer.json['id']}").status == 200


@pytest.mark.parametrize("path", ["/sluicebox/healthz", "/sluice/sluice/healthz", "//sluice/healthz", "/Sluice/healthz"])
def test_other_paths_are_not_taken_for_it(daemon, path):
    assert daemon.client().get(path).status == 404


def test_the_page_and_the_document_name_paths_below_it(daemon):
    api = daemon.client()
    page = api.get(BASE + "/docs").content.decode()
    assert 'fetch("openapi.json")' in page and 'fetch("/' not in page
    document = api.get(BASE + "/openapi.json").json
    assert [server["url"] for server in document["servers"]][0] == BASE + "/api/v1"
    messages = api.get(BASE + "/asyncapi.json").json
    assert [server["pathname"] for server in messages["servers"].values()] == [BASE + "/api/v1"]
    own = {server["url"] for item in document["paths"].values() for server in item.get("servers", [])}
    assert own and all(url == BASE or url.startswith(BASE + "/") for url in own)


def test_an_agent_is_redirected_below_the_base_path(daemon):
    from governed_agent import GovernedAgent, store_tool
    from scripted_tool import ScriptedTool

    tool = ScriptedTool()
    tool.answer = lambda call: (302, [("Location", "/next")], b"")
    store_tool(daemon, "t", tool.url)
    agent = GovernedAgent(daemon, "a", [("allow", ["GET"], tool.url + "/*")])
    location, = agent.call(agent.start(), "GET", "t", "/x").header("location")
    assert location == f"{BASE}/as/{agent.token}/egress/t/next"
    tool.close()


@pytest.mark.parametrize("given, message", [("sluice", "base-path"), ("/a b", "base-path"), ("/a/../b", "base-path"),
                                            ("//x", "base-path"), ("/a%2f", "base-path")])
def test_a_base_path_that_is_no_path_is_refused(daemon, tmp_path, given, message):
    ended = daemon.run("serve", "--data-dir", tmp_path / "d", SLUICE_BASE_PATH=given)
    assert ended.returncode == 78 and message in ended.stderr


# CORS

def asked(daemon, method, path, **headers):
    return daemon.client().request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_page_of_an_allowed_origin_may_read_answers_and_errors(daemon):
    for path, status in (("/runs", 200), ("/nowhere", 404), ("/runs/nothing", 404)):
        answer = asked(daemon, "GET", path, Origin=PAGE)
        assert answer.status == status and answer.headers["access-control-allow-origin"] == PAGE
        assert "Origin" in answer.headers["vary"] and "access-control-allow-credentials" not in answer.headers
        assert "Sluice-Position" in answer.headers["access-control-expose-headers"]
    refused = daemon.client(None).get("/runs", headers={"Origin": PAGE})
    assert refused.status == 401 and refused.headers["access-control-allow-origin"] == PAGE


def test_a_preflight_needs_no_key(daemon):
    for path in ("/runs", "/api/v1/deploy", BASE + "/api/v1/agents"):
        answer = daemon.client(None).request("OPTIONS", path, headers={
            "Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type"})
        assert answer.status == 204 and answer.content == b""
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert "authorization" in allowed and "content-type" in allowed and "idempotency-key" in allowed
        assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://console.example.evil", PAGE + ":8443",
                                    "http://console.example"])
def test_other_origins_get_no_permission(daemon, origin):
    answer = asked(daemon, "GET", "/runs", Origin=origin)
    assert answer.status == 200 and "access-control-allow-origin" not in answer.headers
    preflight = asked(daemon, "OPTIONS", "/runs", Origin=origin, Access_Control_Request_Method="GET")
    assert preflight.status == 405 and "access-control-allow-origin" not in preflight.headers


def test_addresses_of_agents_are_not_for_pages(daemon):
    key = daemon.client().post("/api/v1/auth/api-keys", {"name": "k", "role": "agent", "agent": "a"}).json["token"]
    for path in (f"/as/{key}/runs", f"{BASE}/as/{key}/runs"):
        answer = asked(daemon, "GET", path, Origin=PAGE)
        assert answer.status == 200 and "access-control-allow-origin" not in answer.headers


def test_cors_is_off_by_default(sluice):
    answer = asked(sluice, "GET", "/runs", Origin=PAGE)
    assert answer.status == 200 and not [name for name in answer.headers if name.startswith("access-control")]


def test_any_origin_may_be_allowed_and_no_credentials_then(own_sluice):
    daemon = own_sluice(SLUICE_CORS_ALLOW_ORIGIN="*")
    answer = asked(daemon, "GET", "/runs", Origin="https://any.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("given", ["console.example", "https://", "https://a.example/path", "ftp://a.example"])
def test_origins_that_are_none_are_refused(sluice, tmp_path, given):
    ended = sluice.run("serve", "--data-dir", tmp_path / "d", SLUICE_CORS_ALLOW_ORIGIN=given)
    assert ended.returncode == 78 and "cors-allow-origin" in ended.stderr


def test_a_streams_head_says_so_too(daemon):
    run = daemon.client().post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    daemon.client().patch(f"/runs/{run}", {"status": "COMPLETED"})
    answer = asked(daemon, "GET", f"/runs/{run}/events/stream", Origin=PAGE)
    assert answer.headers["access-control-allow-origin"] == PAGE and b"event: end" in answer.content
    assert json.loads(daemon.client().get(f"/runs/{run}").content)["status"] == "COMPLETED"
