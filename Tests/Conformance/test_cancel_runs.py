"""Many runs are cancelled by a filter, after a preview."""

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    sluice = SluiceProcess(tmp_path_factory.mktemp("cancel")).start()
    tool = ScriptedTool()
    store_tool(sluice, "pay", tool.url)
    yield sluice, GovernedAgent(sluice, "payer", [("allow", ["*"], tool.url + "/*")])
    assert sluice.stop() == 0
    tool.close()


def statuses(agent, runs):
    return [agent.run(run)["status"] for run in runs]


def test_a_preview_counts_and_shows_and_changes_nothing(world):
    sluice, agent = world
    runs = [agent.start(user="preview") for _ in range(12)]
    answer = sluice.client().post("/api/v1/runs/cancel", {"user": "preview"})
    assert (answer.status, answer.json["dry_run"], answer.json["matched"]) == (200, True, 12)
    assert [each["id"] for each in answer.json["sample"]] == runs[:10]
    assert set(statuses(agent, runs)) == {"RUNNING"}


def test_the_filter_selects_by_agent_user_tool_status_and_time(world):
    sluice, agent = world
    api = sluice.client()
    calling, other = agent.start(user="filtered"), agent.start(user="filtered")
    assert agent.call(calling, "POST", "pay", "/x", b"").status == 200
    finished = agent.start(user="filtered")
    assert api.post(f"/runs/{finished}/cancel", {}).status == 200

    def matched(**body):
        answer = api.post("/api/v1/runs/cancel", {"user": "filtered"} | body)
        assert answer.status == 200, answer
        return answer.json["matched"]

    created = agent.run(other)["created_at"]
    assert matched() == 2
    assert (matched(tool="pay"), matched(tool="none"), matched(agent="payer"), matched(agent="none")) == (1, 0, 2, 0)
    assert (matched(status="RUNNING"), matched(status="PAUSED_APPROVAL")) == (2, 0)
    assert (matched(created_before=created), matched(created_after=created)) == (1, 1)
    answer = api.post("/api/v1/runs/cancel", {"user": "filtered", "tool": "pay", "dry_run": False, "reason": "leak"})
    assert (answer.json["cancelled"], answer.json["remaining"]) == (1, 0)
    assert statuses(agent, [calling, other]) == ["FAILED", "RUNNING"]
    assert agent.run(calling)["reason"] == "cancelled: leak"


@pytest.mark.parametrize("body", [{}, {"status": "FAILED"}, {"created_after": "yesterday"}, {"user": 1}, {"all": "yes"},
                                  {"all": True, "dry_run": "no"}])
def test_a_filter_that_selects_by_accident_is_refused(world, body):
    assert world[0].client().post("/api/v1/runs/cancel", body).status == 400


def test_the_command_line_previews_and_cancels_in_batches(world):
    sluice, agent = world
    runs = [agent.start(user="line") for _ in range(3)]

    def command(*arguments):
        return sluice.run("runs", "cancel", "--url", sluice.url, *arguments)

    preview = command("--filter", "user=line")
    assert preview.returncode == 0 and preview.stdout.startswith("3 unfinished runs match") and runs[0] in preview.stdout
    assert set(statuses(agent, runs)) == {"RUNNING"}
    done = command("--filter", "user=line", "--filter", "agent=payer", "--yes", "--reason", "over")
    assert (done.returncode, done.stdout) == (0, "3 runs cancelled\n"), done.stderr
    assert set(statuses(agent, runs)) == {"FAILED"}
    assert command("--filter", "colour=red").returncode == 64 and command().returncode == 64
