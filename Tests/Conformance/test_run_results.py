"""A run has its agent's answer, and says what became of the effects that somebody approved."""

import json

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_agent import ScriptedAgent
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from waiting import eventually

LISTED_BYTES_MAX = 4096
APPROVAL = [{"name": "each", "toolIds": ["pay"], "approvers": {"groups": []}}]


class World:
    def __init__(self, directory):
        self.sluice = SluiceProcess(directory).start()
        self.tool, self.remote = ScriptedTool(), ScriptedAgent()
        store_tool(self.sluice, "pay", self.tool.url)
        self.agent = GovernedAgent(
            self.sluice, "payer", [("approval_required", ["POST"], self.tool.url + "/*")], APPROVAL)

    def invoked(self, answer, user="ada"):
        """A run that Sluice drives, once its agent has answered."""
        self.remote.answers["/"] = lambda body: (200, answer)
        run = self.agent.start(user, invoke_url=self.remote.url + "/invoke", message="go")
        return eventually(lambda: self.agent.run(run), lambda run: run["status"] == "COMPLETED")

    def paid(self, run, body, status=200):
        """Makes a call that somebody approves, and that the tool answers with a status; its action."""
        action = self.agent.blocked(run, "POST", "pay", "/pay", body)
        self.agent.approve(action)
        self.tool.answer = lambda call: (status, [], b"{}")
        assert self.agent.call(run, "POST", "pay", "/pay", body).status == status
        return self.agent.action(run, action["action_id"])

    def completed(self, run):
        answer = self.agent.api.patch(f"/runs/{run}", {"status": "COMPLETED"})
        assert answer.status == 200, answer
        return answer.json

    def listed(self, run, path="/runs?agent_id=payer"):
        found, = [each for each in self.agent.api.get(path).json if each["id"] == run]
        return found

    def close(self):
        assert self.sluice.stop() == 0
        self.tool.close()
        self.remote.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("results"))
    yield world
    world.close()


def test_the_answer_of_an_agent_is_the_result_of_its_run_in_every_era(world):
    answer = {"response": "42 euros", "parts": [1, None, {"ü": "\u0000"}]}
    run = world.invoked(answer)
    assert run["result"] == answer and run["result_bytes"] > 0
    for path in (f"/api/runs/{run['id']}", f"/api/v1/runs/{run['id']}", f"/api/v1/workspaces/default/runs/{run['id']}"):
        assert world.agent.api.get(path).json["result"] == answer
    for path in ("/runs?agent_id=payer", "/api/v1/runs?status=COMPLETED", "/api/v1/runs?agent_id=payer&limit=100"):
        assert world.listed(run["id"], path)["result"] == answer
    shown = world.sluice.run("runs", "show", "--url", world.sluice.url, run["id"])
    assert shown.returncode == 0 and "42 euros" in shown.stdout and "COMPLETED" in shown.stdout


@pytest.mark.parametrize("size", [LISTED_BYTES_MAX, LISTED_BYTES_MAX + 1, 200_000])
def test_lists_have_small_results_and_the_size_of_others(world, size):
    answer = "x" * (size - 2)
    run = world.invoked(answer)
    assert run["result"] == answer and run["result_bytes"] == size
    listed = world.listed(run["id"])
    assert listed["result_bytes"] == size and ("result" in listed) == (size <= LISTED_BYTES_MAX)


def test_the_last_message_of_an_agent_is_the_result_of_a_run_that_its_client_drives(world):
    run = world.agent.start()
    for entry in ({"type": "AGENT_MESSAGE", "data": {"message": "first"}}, {"type": "AGENT_MESSAGE", "data": {"message": "last"}},
                  {"type": "AGENT_MESSAGE"}, {"type": "TOOL_RESPONSE", "data": {"message": "no message"}}):
        assert world.agent.api.post(f"/runs/{run}/events", entry).status == 201
    assert "result" not in world.agent.run(run), "a run that is not finished has no result"
    assert world.completed(run)["result"] == {"message": "last"}


def test_a_run_without_an_answer_or_that_failed_has_no_result(world):
    run = world.agent.start()
    assert "result" not in world.completed(run) and "effects" not in world.agent.run(run)
    run = world.agent.start()
    assert world.agent.api.post(f"/runs/{run}/events", {"type": "AGENT_MESSAGE", "data": {"message": "half"}}).status == 201
    assert world.agent.api.post(f"/runs/{run}/cancel").status == 200
    assert "result" not in world.agent.run(run)


def test_a_completed_run_whose_approved_payment_failed_says_so(world):
    run = world.agent.start()
    action = world.paid(run, b"failing", 500)
    assert action["status"] == "EXECUTED" and action["tool_status"] == 500
    assert world.paid(run, b"working")["tool_status"] == 200
    world.completed(run)
    for shown in (world.agent.run(run), world.listed(run)):
        assert shown["status"] == "COMPLETED"
        assert shown["effects"] == {"performed": 1, "failed": 1, "rejected": 0, "expired": 0}
        assert shown["result_note"].startswith("1 of 2 approved effects failed: ")
        assert action["action_id"] in shown["result_note"] and "answered with 500" in shown["result_note"]
    printed = world.sluice.run("runs", "show", "--url", world.sluice.url, run).stdout
    assert action["action_id"] in printed and '"failed":1' in printed


def test_a_failed_call_that_is_repeated_with_success_does_not_count(world):
    run = world.agent.start()
    world.paid(run, b"twice", 503)
    assert world.agent.run(run)["effects"]["failed"] == 1
    world.paid(run, b"twice")
    shown = world.completed(run)
    assert shown["effects"] == {"performed": 1, "failed": 0, "rejected": 0, "expired": 0} and "result_note" not in shown


def test_an_approved_call_that_comes_with_other_bytes_counts_as_failed(world):
    run = world.agent.start()
    action = world.agent.blocked(run, "POST", "pay", "/pay", b"approved")
    world.agent.approve(action)
    assert world.agent.call(run, "POST", "pay", "/pay", b"another").status == 409
    shown = world.completed(run)
    assert shown["effects"]["failed"] == 1 and action["action_id"] in shown["result_note"]


def test_a_call_without_a_known_outcome_counts_as_failed(world):
    run = world.agent.start()
    action = world.agent.blocked(run, "POST", "pay", "/pay", b"lost")
    world.agent.approve(action)

    def broken(call):
        raise OSError("the connection breaks")

    world.tool.answer = broken
    assert world.agent.call(run, "POST", "pay", "/pay", b"lost").status >= 500
    shown = world.completed(run)
    assert shown["effects"]["failed"] == 1 and "unknown outcome" in shown["result_note"]


def test_calls_under_a_grant_count_and_calls_that_policies_allow_do_not(world):
    run = world.agent.start("grace")
    world.agent.blocked(run, "POST", "pay", "/pay", b"1")
    world.agent.approve_request(run, scope="agent_user_ttl", duration="1h")
    for body, status in ((b"1", 200), (b"2", 500), (b"3", 200)):
        world.tool.answer = lambda call, status=status: (status, [], b"{}")
        assert world.agent.call(run, "POST", "pay", "/pay", body).status == status
    shown = world.completed(run)
    assert shown["effects"] == {"performed": 2, "failed": 1, "rejected": 0, "expired": 0}
    assert "under grant" in shown["result_note"]


def test_a_rejected_action_is_counted(world):
    run = world.agent.start()
    action = world.agent.blocked(run, "POST", "pay", "/pay", b"no")
    assert world.agent.approver.post(f"/runs/{run}/actions/{action['action_id']}/reject").status == 200
    shown = world.agent.run(run)
    assert shown["status"] == "FAILED" and shown["effects"] == {"performed": 0, "failed": 0, "rejected": 1, "expired": 0}


def test_results_and_effects_are_the_same_after_a_rebuild(world):
    before = world.agent.api.get("/runs?agent_id=payer").json
    wholes = {run["id"]: world.agent.run(run["id"]) for run in before}
    assert any("effects" in run for run in before) and any("result" in run for run in before)
    assert world.sluice.stop() == 0
    assert world.sluice.run("projections", "rebuild", "--data-dir", world.sluice.data).returncode == 0
    world.sluice.start()
    assert world.agent.api.get("/runs?agent_id=payer").json == before
    assert {run["id"]: world.agent.run(run["id"]) for run in before} == wholes


def test_the_result_goes_with_the_person(world):
    small, large = world.invoked({"response": "told to zoe alone"}, "zoe"), world.invoked("zoe's secret " * 1000, "zoe")
    erasure = world.agent.api.post("/erasures", {"user_id": "zoe"})
    assert erasure.status == 202, erasure
    eventually(lambda: world.agent.api.get(f"/erasures/{erasure.json['id']}").json, lambda each: each["status"] == "ERASED")
    for run in (small, large):
        text = json.dumps([world.agent.run(run["id"]), world.listed(run["id"])])
        assert "zoe" not in text, text
    assert world.sluice.stop() == 0
    for file in world.sluice.data.rglob("*"):
        if file.is_file():
            assert b"told to zoe alone" not in file.read_bytes() and b"zoe's secret" not in file.read_bytes(), file
    world.sluice.start()
