"""Nobody does what their key does not allow: every route, every role, every workspace."""

import pytest

from served_routes import STREAMS, World, served
from sluice_process import SluiceProcess

GRANTED = {
    "admin": {"read", "read_own_run", "manage_resources", "drive_runs", "invoke", "act_as_agent", "decide", "manage_keys",
              "erase_people"},
    "operator": {"read", "read_own_run", "manage_resources", "drive_runs", "invoke", "act_as_agent"},
    "approver": {"read", "read_own_run", "decide"},
    "agent": {"read", "read_own_run", "drive_runs", "invoke", "act_as_agent"},
    "viewer": {"read", "read_own_run"},
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
    return World(sluice)


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
        "/healthz", "/readyz", "/openapi.json", "/docs", "/as/{agentkey}/healthz", "/oauth/callback", "/oauth/signed-in",
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
    after = world.snapshot(sluice.key("admin"))
    assert {path for path in before if before[path] != after[path]} <= {"/auth/api-keys"}


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
            if "{workspace}" in route["path"]:
                is_kept_out = answer.status == 403
            else:
                # Whoever asks may read back what was asked for, and nothing more.
                said = answer.content.decode().replace(world.address(route["path"], key), "")
                is_kept_out = answer.status >= 400 or world.marker not in said
            if not is_kept_out or answer.status >= 500 and answer.status != 501:
                wrong.append((role, route, answer))
    assert not wrong
    after = world.snapshot(sluice.key("admin"))
    assert {path for path in before if before[path] != after[path]} <= {"/auth/api-keys"}


@pytest.mark.parametrize("path", ["/events/stream", "/api/v1/events/stream", "/runs/{id}/events/stream"])
def test_a_stream_has_nothing_of_another_workspace(sluice, world, path):
    client = sluice.client(sluice.key("admin", "elsewhere"))
    if "{id}" in path:
        assert client.get(world.address(path)).status == 404
        return
    refused = client.get(path.replace("/api/v1", world.base) if "/api/v1" in path else f"{world.base}{path}")
    assert refused.status == 403
