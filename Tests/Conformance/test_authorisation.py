"""A key does what its role allows and nothing else: every route, every role, every workspace, both listeners."""

import pytest

from hostile_agent import HOSTILE, GateClient, HostileAgents
from served_routes import STREAMS, World, served
from sluice_process import ADMIN_KEY, SluiceProcess

GRANTED = {
    "admin": {"read", "read_own_run", "read_metrics", "manage_resources", "create_runs", "drive_runs", "invoke", "act_as_agent", "decide",
              "manage_keys", "erase_people", "confirm_clock"},
    "operator": {"read", "read_own_run", "manage_resources", "create_runs", "drive_runs", "invoke", "act_as_agent"},
    "approver": {"read", "read_own_run", "decide"},
    "agent": {"read", "read_own_run", "drive_runs", "act_as_agent"},
    "viewer": {"read", "read_own_run"},
    "metrics": {"read_metrics"},
}

# What concerns all workspaces, and is for keys of the default one.
OF_THE_DEPLOYMENT = {"read_metrics", "confirm_clock"}

MODEL_BASES = ("/v1", "/v1/p/{provider}")

# Everything that an agent reaches at its own address. A new route belongs here only when the agents' runtime needs it.
OF_AGENTS = {
    ("GET", "/healthz"),
    *((method, "/egress/{tool}" + rest) for rest in ("", "/{path}")
      for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
    *(("POST", base) for base in MODEL_BASES),
    *(("POST", f"{base}{more}/{operation}") for base in MODEL_BASES for more in ("", "/v1")
      for operation in ("chat/completions", "embeddings", "messages", "messages/count_tokens", "responses")),
    *((method, "/v1/responses/{id}") for method in ("GET", "DELETE")), ("POST", "/openai/responses"),
    *(("GET", f"{base}{more}/models{rest}") for base in MODEL_BASES for more in ("", "/v1") for rest in ("", "/{path}")),
    *(("POST", "/openai/deployments/{model}/" + operation) for operation in ("chat/completions", "embeddings")),
    *(("GET", "/openai/models" + rest) for rest in ("", "/{path}")),
    ("POST", "/runs/{id}/checkpoint"), ("GET", "/runs/{id}/checkpoint/{action}"), ("POST", "/runs/{id}/tool-result"),
    ("GET", "/runs"), ("GET", "/runs/{id}"),
    ("GET", "/runs/{id}/events"), ("POST", "/runs/{id}/events"),
    ("GET", "/runs/{id}/actions"), ("GET", "/runs/{id}/actions/{action}"), ("POST", "/runs/{id}/actions"),
    *((method, f"/{name}/requests{rest}") for name in ("governance", "approvals")
      for method, rest in (("POST", ""), ("GET", "/{id}"))),
}


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("authorisation")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def routes(sluice):
    routes = served(sluice)
    assert len(routes) > 300 and {route["permission"] for route in routes} == GRANTED["admin"] | {"none"}
    return routes


@pytest.fixture(scope="module")
def world(sluice):
    return World(sluice, marker="guarded")


def asked(client, world, route, agent_key="none"):
    """Every route takes a body of JSON, or none."""
    body = {} if route["method"] in ("POST", "PUT", "PATCH") else None
    return client.request(route["method"], world.address(route["path"], agent_key), body)


def with_keys(routes):
    return [route for route in routes if route["permission"] != "none"]


@pytest.mark.parametrize("key", [None, "ra_ws_" + "0" * 48, "x" * 5000, "🔑".encode().decode("latin-1")],
                         ids=["none", "unknown", "huge", "odd"])
def test_without_a_known_key_no_route_answers(sluice, routes, world, key):
    client = sluice.client(key)
    wrong = [(route, answer.status) for route in with_keys(routes)
             if (answer := asked(client, world, route)).status not in (401, 431)]
    assert not wrong


def test_what_needs_no_key_is_this_alone(routes):
    assert {route["path"] for route in routes if route["permission"] == "none"} == {
        "/healthz", "/readyz", "/openapi.json", "/asyncapi.json", "/docs", "/as/{agentkey}/healthz", "/oauth/callback", "/oauth/signed-in",
        "/oauth/start/{run}/{action}/{seal}", "/decisions/{delivery}/{secret}", "/audit/witness/add-checkpoint", "/echo", "/echo/{path}"}


@pytest.mark.parametrize("role", GRANTED)
def test_a_role_does_what_it_may_and_nothing_else(sluice, routes, world, role):
    """A key in an address is an agent's: others are not even let in with one."""
    before = world.snapshot(sluice.key("admin"))
    key = sluice.key(role)
    client = sluice.client(key)
    wrong = []
    for route in with_keys(routes):
        in_address = route["path"].startswith("/as/")
        is_granted = route["permission"] in GRANTED[role] and (not in_address or role == "agent")
        if is_granted and (route["method"] != "GET" or STREAMS.search(route["path"]) or in_address):
            continue
        status = asked(client, world, route, agent_key=key).status
        expected = {401} if in_address and role != "agent" else {403}
        if is_granted == (status in {401, 403}) or (not is_granted and status not in expected):
            wrong.append((route, status))
    assert not wrong
    assert changed(world, sluice, before) == set()


def test_a_key_of_one_workspace_reaches_nothing_of_another(sluice, routes, world):
    """Neither by the other's address, nor by the ids of its things; and it changes nothing there."""
    before = world.snapshot(sluice.key("admin"))
    wrong = []
    for role in GRANTED:
        key = sluice.key(role, "elsewhere")
        client = sluice.client(key)
        for route in with_keys(routes):
            if STREAMS.search(route["path"]) and "/runs/" not in route["path"]:
                continue
            answer = asked(client, world, route, agent_key=key)
            if "{workspace}" in route["path"] or route["permission"] in OF_THE_DEPLOYMENT:
                is_kept_out = answer.status == 403
            else:
                # Whoever asks may read back what was asked for, and nothing more.
                said = answer.content.decode().replace(world.address(route["path"], key), "")
                is_kept_out = answer.status >= 400 or world.marker not in said
            if not is_kept_out or answer.status >= 500 and answer.status != 501:
                wrong.append((role, route, answer))
    assert not wrong
    assert changed(world, sluice, before) == set()


@pytest.mark.parametrize("path", ["/events/stream", "/api/v1/events/stream", "/runs/{id}/events/stream"])
def test_a_stream_has_nothing_of_another_workspace(sluice, world, path):
    client = sluice.client(sluice.key("admin", "elsewhere"))
    if "{id}" in path:
        assert client.get(world.address(path)).status == 404
        return
    refused = client.get(path.replace("/api/v1", world.base) if "/api/v1" in path else f"{world.base}{path}")
    assert refused.status == 403


@pytest.fixture(scope="module")
def token(sluice):
    """The token of an agent that runs in its sandbox."""
    agents = HostileAgents(sluice)
    agents.deploy("insider", HOSTILE)
    return agents.token("insider")


def test_an_agents_address_has_the_routes_of_the_list_and_no_other(routes):
    served = {(route["method"], route["path"].removeprefix("/as/{agentkey}")) for route in routes
              if route["path"].startswith("/as/")}
    assert served == OF_AGENTS


def below_an_address(routes):
    """Each served path, method by method, as if it were below an agent's address, unless the list has it."""
    paths = {route["path"].removeprefix("/as/{agentkey}") for route in routes}
    return sorted((method, path) for path in paths for method in METHODS if (method, path) not in OF_AGENTS
                  and not (method == "HEAD" and ("GET", path) in OF_AGENTS))


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def refused(client, world, method, path, prefix, statuses):
    body = {} if method in ("POST", "PUT", "PATCH") else None
    answer = client.request(method, prefix + world.address(path), body)
    return answer.status in statuses and (method == "HEAD" or "error" in answer.json)


@pytest.mark.parametrize("is_bound", [True, False])
def test_below_an_agents_address_on_the_public_listener_every_other_route_is_404(sluice, routes, world, is_bound):
    bound = {"agent": world.agent} if is_bound else {"any_agent": True}
    made = sluice.client().post("/api/v1/auth/api-keys", {"name": "remote", "role": "agent"} | bound)
    client = sluice.client(None)
    before = world.snapshot(sluice.key("admin"))
    wrong = [each for each in below_an_address(routes)
             if not refused(client, world, *each, f"/as/{made.json['token']}", {404})]
    assert wrong == []
    assert changed(world, sluice, before) == set()


def test_at_the_gate_every_other_route_is_404_whatever_key_comes_with_it(sluice, routes, world, token):
    gate, admin = GateClient(sluice), GateClient(sluice, ADMIN_KEY)
    before = world.snapshot(sluice.key("admin"))
    below = below_an_address(routes)
    assert [each for each in below if not refused(gate, world, *each, f"/as/{token}", {404})] == []
    assert [each for each in below if not refused(admin, world, *each, f"/as/{token}", {404})] == []
    own = [(route["method"], route["path"]) for route in routes if not route["path"].startswith("/as/")]
    wrong = [each for each in own if each != ("GET", "/healthz") and not refused(admin, world, *each, "", {404})]
    assert wrong == []
    assert changed(world, sluice, before) == set()


def test_at_the_gate_no_key_but_an_instances_token_is_known(sluice, world, token):
    gate = GateClient(sluice)
    for key in (*(sluice.key(role) for role in GRANTED), ADMIN_KEY, token[:-1] + "g", token.upper(), "ra_agent_"):
        wrong = [each for each in sorted(OF_AGENTS - {("GET", "/healthz")})
                 if not refused(gate, world, *each, f"/as/{key}", {401})]
        assert wrong == []


def test_an_instances_token_is_unknown_at_the_public_listener(sluice, world, token):
    assert GateClient(sluice).get(f"/as/{token}/runs").status == 200
    client = sluice.client(None)
    for method, path in sorted(OF_AGENTS - {("GET", "/healthz")}):
        assert refused(client, world, method, path, f"/as/{token}", {401})
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-RunAgents-API-Key": token}, {"x-api-key": token}):
        assert client.get("/runs", headers).status == 401


def test_an_agent_sees_nothing_of_another_agents_runs(sluice, world, token):
    """By neither kind of key, at neither listener; of its own it sees all."""
    admin = sluice.client()
    made = admin.post("/api/v1/auth/api-keys", {"name": "insider", "role": "agent", "agent": "insider"})
    own = admin.post("/runs", {"agent_id": "insider", "user_id": "u"}).json["id"]
    before = world.snapshot(sluice.key("admin"))
    for client, base in ((GateClient(sluice), f"/as/{token}"), (sluice.client(None), f"/as/{made.json['token']}")):
        assert {run["agent_id"] for run in client.get(base + "/runs?status=RUNNING").json} == {"insider"}
        for method, path in sorted(OF_AGENTS):
            if "/runs/" not in path and "requests/" not in path:
                continue
            body = {"type": "NOTE", "tool_id": "x", "action_id": "x"} if method == "POST" else None
            answer = client.request(method, base + world.address(path), body)
            assert answer.status == 404 and world.marker not in answer.content.decode(), (method, path, answer)
        assert client.get(base + f"/runs?agent_id={world.agent}").status == 403
        assert client.get(f"{base}/runs/{own}").json["agent_id"] == "insider"
    assert changed(world, sluice, before) == set()


def changed(world, sluice, before):
    after = world.snapshot(sluice.key("admin"))
    return {path for path in before if before[path] != after[path]} - {"/auth/api-keys"}


def test_every_answer_forbids_to_guess_its_type(sluice, routes, world, token):
    """Of routes, errors and paths that there are not, at both listeners."""
    paths = ["/healthz", "/docs", "/openapi.json", "/runs", "/nowhere", f"/runs/{world.run}/events/stream", "//runs"]
    answers = [sluice.client().request("HEAD", path) for path in paths]
    answers += [sluice.client(None).get("/runs"), sluice.client().post("/runs", content=b"{"),
                sluice.client().request("TRACE", "/runs"), sluice.client().delete("/runs")]
    answers += [GateClient(sluice).get(path) for path in ("/healthz", "/runs", f"/as/{token}/runs", "/as/x/runs")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff", answer
