"""API keys: their reach, their last use, and the end of one with all that was made with it."""

import concurrent.futures
import datetime
import threading

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import ADMIN_KEY, SluiceProcess
from waiting import until_true

KEYS = "/api/v1/auth/api-keys"


class World:
    def __init__(self, directory):
        self.sluice = SluiceProcess(directory).start()
        self.tool = ScriptedTool()
        store_tool(self.sluice, "pay", self.tool.url)
        self.agents = {groups: self.agent("-".join(("payer", *groups)), groups) for groups in ((), ("finance",), ("risk",))}

    def agent(self, name, groups):
        return GovernedAgent(
            self.sluice, name, [("approval_required", ["POST"], self.tool.url + "/*")],
            [{"name": "each", "toolIds": ["pay"], "approvers": {"groups": list(groups)}}])

    def blocked(self, groups):
        agent = self.agents[groups]
        return agent.blocked(agent.start(), "POST", "pay", "/pay", b"x")

    def key(self, **body):
        answer = self.sluice.client().post(KEYS, {"name": "k"} | body)
        assert answer.status == 201, answer
        return answer.json["key"]["id"], self.sluice.client(answer.json["token"])

    def listed(self, key):
        found, = [each for each in self.sluice.client().get(KEYS).json if each["id"] == key]
        return found

    def close(self):
        assert self.sluice.stop() == 0
        self.tool.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("keys"))
    yield world
    world.close()


def decided(client, action, decision):
    return client.post(
        f"/runs/{action['run_id']}/actions/{action['action_id']}/{decision}",
        headers={"X-Payload-Hash": action["payload_hash"]} if decision == "approve" else None)


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_key_for_groups_only_decides_on_requests_of_its_groups_alone(world, decision):
    key, client = world.key(role="approver", groups=["finance"], only_groups=True)
    _, ordinary = world.key(role="approver", groups=["finance"])
    assert world.listed(key)["only_groups"] is True
    for groups in ((), ("risk",)):
        action = world.blocked(groups)
        answer = decided(client, action, decision)
        assert answer.status == 403 and answer.headers["sluice-error-code"] == "not_an_approver", answer
        assert "finance" in answer.error and ("risk" in answer.error if groups else "names no group" in answer.error)
        request, = [each for each in client.get("/governance/requests").json if each["run_id"] == action["run_id"]]
        assert client.post(f"/governance/requests/{request['id']}/{decision}", {}).status == 403
        assert world.agents[groups].action(action["run_id"], action["action_id"])["status"] == "BLOCKED"
    assert decided(ordinary, world.blocked(()), decision).status == 200
    assert decided(client, world.blocked(("finance",)), decision).status == 200


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_key_for_groups_only_has_no_say_in_what_clients_asked_for_without_a_policy(world, decision):
    _, client = world.key(role="approver", groups=["finance"], only_groups=True)
    admin, agent = world.sluice.client(), world.agents[()]
    action = admin.post(f"/runs/{agent.start()}/actions", {"tool_id": "pay", "payload_hash": "sha256:" + "0" * 64}).json
    assert decided(client, action, decision).status == 403
    request = admin.post("/governance/requests", {"subject": f"eve-{decision}", "tool_id": "pay"}).json
    assert client.post(f"/governance/requests/{request['id']}/{decision}", {}).status == 403
    assert admin.get(f"/governance/requests/{request['id']}").json["status"] == "PENDING"


def test_groups_only_holds_after_rotation_and_restart(world):
    key, _ = world.key(role="approver", groups=["finance"], only_groups=True)
    client = world.sluice.client(world.sluice.client().post(f"{KEYS}/{key}/rotate").json["token"])
    action = world.blocked(())
    assert decided(client, action, "approve").status == 403
    assert world.sluice.stop() == 0
    world.sluice.start()
    assert decided(client, action, "approve").status == 403 and world.listed(key)["only_groups"] is True


@pytest.mark.parametrize("body, said", [
    ({"role": "approver", "only_groups": True}, "groups"),
    ({"role": "approver", "groups": ["finance"], "only_groups": "yes"}, "only_groups must be true or false"),
    ({"role": "agent"}, "any_agent"),
    ({"role": "agent", "any_agent": False}, "any_agent"),
    ({"role": "agent", "agent": "payer", "any_agent": True}, "any_agent"),
    ({"role": "viewer", "any_agent": True}, "any_agent"),
    ({"role": "king"}, "metrics"),
])
def test_a_key_whose_reach_is_not_clear_is_refused(world, body, said):
    answer = world.sluice.client().post(KEYS, {"name": "k"} | body)
    assert answer.status == 400 and said in answer.error, answer


def test_a_key_for_any_agent_is_made_only_when_that_is_said(world):
    key, client = world.key(role="agent", any_agent=True)
    assert world.listed(key)["any_agent"] is True and client.get("/runs").status == 200
    bound, _ = world.key(role="agent", agent="payer")
    assert world.listed(bound)["agent"] == "payer" and "any_agent" not in world.listed(bound)


def test_the_command_line_makes_and_lists_keys_with_their_reach(world):
    def command(*arguments):
        return world.sluice.run("keys", *arguments, "--url", world.sluice.url)

    assert command("create", "--name", "loose", "--role", "agent").returncode == 64
    assert command("create", "--name", "none", "--role", "approver", "--only-groups").returncode == 64
    for more in (("any", "--role", "agent", "--any-agent"), ("sharp", "--role", "approver", "--group", "risk", "--only-groups"),
                 ("bound", "--role", "agent", "--agent", "payer", "--expires-in-days", "3"), ("scrape", "--role", "metrics")):
        made = command("create", "--name", *more)
        assert made.returncode == 0, made.stderr
        world.sluice.client(made.stdout.strip()).get("/metrics")
    listed = command("list").stdout.splitlines()
    head, rows = listed[0], {line.split()[4]: line for line in listed[1:]}
    assert head.split() == ["ID", "ROLE", "WORKSPACE", "PREFIX", "NAME", "GROUPS", "AGENT", "CREATED", "EXPIRES", "LAST", "USED"]
    assert "(any)" in rows["any"] and "risk (only)" in rows["sharp"] and " payer " in rows["bound"]
    assert rows["scrape"].split()[1] == "metrics" and rows["scrape"].split()[-1].startswith("20")


def test_the_last_use_of_a_key_is_known_without_a_record_and_after_a_stop(world):
    key, client = world.key(role="viewer")
    assert "lastUsedAt" not in world.listed(key)
    before = datetime.datetime.now(datetime.timezone.utc)
    position = client.get("/readyz").json["position"]
    for _ in range(20):
        assert client.get("/runs").status == 200
    assert client.get("/readyz").json["position"] == position, "a use is no event"
    used = world.listed(key)["lastUsedAt"]
    assert abs(datetime.datetime.fromisoformat(used) - before) < datetime.timedelta(minutes=2)
    assert world.sluice.stop() == 0
    world.sluice.start()
    assert world.listed(key)["lastUsedAt"] == used
    past = world.sluice.client().get(f"{KEYS}?as_of={position}").json
    assert past and all("lastUsedAt" not in each for each in past)


def test_metrics_are_for_admins_and_keys_of_their_own_role(world):
    _, scrape = world.key(role="metrics")
    assert scrape.get("/metrics").status == 200
    for path in ("/runs", "/api/v1/agents", "/events/stream", "/api/v1/routes", KEYS):
        assert scrape.get(path).status == 403, path
    assert scrape.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 403
    assert world.sluice.client().get("/metrics").status == 200
    for role in ({"role": "agent", "agent": "payer"}, {"role": "viewer"}, {"role": "approver"}, {"role": "operator"}):
        refused = world.key(**role)[1].get("/metrics")
        assert refused.status == 403 and "role metrics or admin" in refused.error, refused


@pytest.mark.parametrize("role", ["admin", "metrics", "viewer", "operator"])
def test_a_key_of_one_workspace_reads_no_numbers_of_all(world, role):
    _, elsewhere = world.key(role=role, workspace="other")
    refused = elsewhere.get("/metrics")
    assert refused.status == 403 and "all workspaces" in refused.error and "sluice_" not in refused.error, refused


def made_with(world, key, client):
    """Runs in two workspaces, a tool, a policy and a key, all made with a key of the default workspace's admin."""
    agent = world.agents[()].name
    runs = [client.post("/runs", {"agent_id": agent, "user_id": f"u{number}"}).json["id"] for number in range(3)]
    assert client.patch(f"/runs/{runs[0]}", {"status": "COMPLETED"}).status == 200
    elsewhere = client.post("/api/v1/workspaces/other/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    assert client.post("/api/v1/tools", {"name": "leaked", "base_url": "http://127.0.0.1:1"}).status == 201
    assert client.post("/api/v1/tools", {"name": "gone", "base_url": "http://127.0.0.1:1"}).status == 201
    assert client.delete("/api/v1/tools/gone").status == 200
    assert client.post("/api/v1/policies", {"name": f"{agent}-rules", "spec": {"policies": []}}).status == 201
    child = client.post(KEYS, {"name": "child", "role": "viewer"}).json["key"]["id"]
    return runs, elsewhere, child


def things(created):
    return {(each["kind"], each["name"], each["created"]) for each in created["resources"]}


def test_revoking_a_key_lists_what_was_made_with_it_and_cancels_its_runs(world):
    admin, agent = world.sluice.client(), world.agents[()]
    key, client = world.key(role="admin")
    other = agent.start()
    (finished, *unfinished), elsewhere, child = made_with(world, key, client)
    expected = {("tool", "leaked", True), ("policy", f"{agent.name}-rules", False), ("api_key", child, True)}
    preview = admin.get(f"{KEYS}/{key}/created")
    assert preview.status == 200 and things(preview.json) == expected
    assert preview.json["unfinished_runs"] == [{"workspace": "default", "count": 2}, {"workspace": "other", "count": 1}]
    shown = world.sluice.run("keys", "revoke", key, "--dry-run", "--url", world.sluice.url)
    assert shown.returncode == 0 and "leaked" in shown.stdout and child in shown.stdout
    assert client.get("/runs").status == 200
    assert admin.delete(f"{KEYS}/{key}?cancel_runs=maybe").status == 400 and client.get("/runs").status == 200
    revoked = admin.delete(f"{KEYS}/{key}?cancel_runs=true")
    assert revoked.status == 200 and revoked.json["status"] == "deleted", revoked
    assert (revoked.json["cancelled"], revoked.json["remaining"]) == (3, 0) and things(revoked.json["created"]) == expected
    assert client.get("/runs").status == 401
    for run in unfinished:
        assert agent.run(run)["status"] == "FAILED" and "revoked" in agent.run(run)["reason"]
    assert admin.get(f"/api/v1/workspaces/other/runs/{elsewhere}").json["status"] == "FAILED"
    assert agent.run(finished)["status"] == "COMPLETED" and agent.run(other)["status"] == "RUNNING"
    after = admin.get(f"{KEYS}/{key}/created").json
    assert things(after) == expected and after["unfinished_runs"] == []
    assert admin.get(f"{KEYS}/{'0' * 8}-0000-7000-8000-{'0' * 12}/created").status == 404


def test_a_revocation_that_cancels_can_be_repeated(world):
    """As after a failure half-way: here the key is revoked already, and its runs are not cancelled."""
    admin, agent = world.sluice.client(), world.agents[()]
    key, client = world.key(role="operator")
    runs = [client.post("/runs", {"agent_id": agent.name, "user_id": "u"}).json["id"] for _ in range(2)]
    assert admin.delete(f"{KEYS}/{key}").status == 200
    assert admin.delete(f"{KEYS}/{key}").status == 404
    for cancelled in (2, 0):
        repeated = admin.delete(f"{KEYS}/{key}?cancel_runs=true")
        assert repeated.status == 200 and (repeated.json["cancelled"], repeated.json["remaining"]) == (cancelled, 0), repeated
    assert {agent.run(run)["status"] for run in runs} == {"FAILED"}
    elsewhere = world.sluice.client(world.sluice.key("admin", workspace="other"))
    for client in (admin, elsewhere):
        unknown = "0" * 8 + "-0000-7000-8000-" + "0" * 12 if client is admin else key
        assert client.delete(f"{KEYS}/{unknown}?cancel_runs=true").status == 404


def test_a_key_that_revokes_itself_cancels_its_runs_first(world):
    key, client = world.key(role="admin", workspace="other")
    run = client.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    revoked = client.delete(f"{KEYS}/{key}?cancel_runs=true")
    assert revoked.status == 200 and (revoked.json["cancelled"], revoked.json["remaining"]) == (1, 0), revoked
    assert client.get("/runs").status == 401
    assert world.sluice.client().get(f"/api/v1/workspaces/other/runs/{run}").json["status"] == "FAILED"


def test_no_run_of_a_revoked_key_is_left_whatever_was_in_flight(world):
    admin = world.sluice.client()
    for _ in range(5):
        key, client = world.key(role="operator")
        ended, statuses = threading.Event(), []

        def create():
            while not ended.is_set():
                statuses.append(client.post("/runs", {"agent_id": "a", "user_id": "u"}).status)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            creating = [pool.submit(create) for _ in range(8)]
            until_true(lambda: len(statuses) > 50)
            revoked = admin.delete(f"{KEYS}/{key}?cancel_runs=true")
            until_true(lambda: 401 in statuses)
            ended.set()
        assert all(each.exception() is None for each in creating)
        assert revoked.status == 200 and revoked.json["remaining"] == 0, revoked
        assert admin.get(f"{KEYS}/{key}/created").json["unfinished_runs"] == []
        assert set(statuses) == {201, 401} and revoked.json["cancelled"] == statuses.count(201)


def test_without_being_told_to_a_revocation_leaves_runs_which_its_key_selects_later(world):
    admin, agent = world.sluice.client(), world.agents[()]
    key, client = world.key(role="operator")
    runs = [client.post("/runs", {"agent_id": agent.name, "user_id": "u"}).json["id"] for _ in range(2)]
    revoked = admin.delete(f"{KEYS}/{key}")
    assert "cancelled" not in revoked.json and revoked.json["created"]["unfinished_runs"] == [{"workspace": "default", "count": 2}]
    assert {agent.run(run)["status"] for run in runs} == {"RUNNING"}
    assert admin.post("/runs/cancel", {"created_by_key": "no id"}).status == 400
    assert admin.post("/runs/cancel", {"created_by_key": key}).json["matched"] == 2
    assert admin.post("/runs/cancel", {"created_by_key": key, "user_id": "v"}).json["matched"] == 0
    ended = world.sluice.run("runs", "cancel", "--filter", f"key={key}", "--yes", "--url", world.sluice.url)
    assert ended.returncode == 0 and "2 runs cancelled" in ended.stdout
    assert {agent.run(run)["status"] for run in runs} == {"FAILED"}


def test_the_command_line_cancels_the_runs_of_a_revoked_key_however_many(world):
    key, client = world.key(role="operator")
    for _ in range(3):
        assert client.post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
    ended = world.sluice.run("keys", "revoke", key, "--cancel-runs", "--url", world.sluice.url)
    assert ended.returncode == 0 and "3 runs cancelled" in ended.stdout, ended


def test_a_rebuild_knows_what_keys_have_made(world):
    key, client = world.key(role="admin")
    made_with(world, key, client)
    admin = world.sluice.client()
    before = admin.get(f"{KEYS}/{key}/created").json
    assert world.sluice.stop() == 0
    assert world.sluice.run("projections", "rebuild", "--data-dir", world.sluice.data).returncode == 0
    world.sluice.start()
    assert admin.get(f"{KEYS}/{key}/created").json == before


def test_removing_the_configured_key_revokes_it_once_another_admin_key_lasts(tmp_path):
    sluice = SluiceProcess(tmp_path).start()
    admin = sluice.client()
    assert sluice.stop() == 0
    sluice.settings["SLUICE_API_KEY"] = ""
    sluice.start()
    assert admin.get(KEYS).status == 200, "the last admin key stays"
    assert "SLUICE_API_KEY is not set; its key stays valid" in sluice.output.read_text()
    made = admin.post(KEYS, {"name": "second", "role": "admin"}).json
    assert sluice.stop() == 0
    sluice.start()
    second = sluice.client(made["token"])
    assert admin.get(KEYS).status == 401 and second.get(KEYS).status == 200
    assert "SLUICE_API_KEY was removed; its key is revoked" in sluice.output.read_text()
    assert sluice.stop() == 0
    sluice.settings["SLUICE_API_KEY"] = ADMIN_KEY
    sluice.start()
    assert admin.get(KEYS).status == 200 and second.get(KEYS).status == 200
    assert sluice.stop() == 0
