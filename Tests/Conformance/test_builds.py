"""Builds: a queue whose every step is recorded, what comes of them, and agents deployed from them."""

import re
import time

import pytest

from deployed_agents import DeployedAgents

FILES = {"agent.py": "def handler(request, context=None):\n    return 'built ' + request['message']\n"}


class Builds:
    seconds_max = 120

    def __init__(self, sluice):
        self.sluice = sluice

    @property
    def api(self):
        return self.sluice.client()

    def request(self, name="helper", files=FILES, **more):
        answer = self.api.post("/api/v1/builds", {"name": name, "files": files, **more})
        assert answer.status == 202, answer
        return answer.json

    def get(self, build):
        return self.api.get("/api/v1/builds/" + build["id"]).json

    def ended(self, build):
        return self.until(build, lambda now: now["status"] in ("SUCCEEDED", "FAILED"))

    def until(self, build, accept):
        deadline = time.monotonic() + self.seconds_max
        while not accept(now := self.get(build)):
            assert time.monotonic() < deadline, (now, self.sluice.output.read_text()[-2000:])
            time.sleep(0.05)
        return now


@pytest.fixture(scope="module")
def builds(sluice):
    return Builds(sluice)


@pytest.fixture(scope="module")
def succeeded(builds):
    return builds.ended(builds.request(requirements="", framework="plain"))


def test_a_build_is_pending_and_has_its_image_at_once(builds):
    first, again = builds.request("My Helper"), builds.request("My Helper")
    assert re.fullmatch(r"build-[0-9a-f-]{36}", first["id"]) and first["id"] != again["id"]
    assert first["status"] in ("PENDING", "BUILDING", "SUCCEEDED") and first["created_at"]
    assert first["image"] == again["image"] and re.fullmatch(r"localhost/sluice/my-helper:[0-9a-f]{32}", first["image"])
    assert builds.request("My Helper", requirements="rich")["image"] != first["image"]


def test_a_build_succeeds_and_can_be_deployed(builds, succeeded):
    assert succeeded["status"] == "SUCCEEDED", succeeded
    assert "error" not in succeeded and succeeded["completed_at"] >= succeeded["started_at"] >= succeeded["created_at"]
    deployed = builds.api.post("/api/v1/deploy", {"agent_name": "from-build", "artifact_id": succeeded["id"]})
    assert deployed.status == 201, deployed
    assert (deployed.json["build_id"], deployed.json["image_uri"]) == (succeeded["id"], succeeded["image"])
    assert deployed.json["build_required"] is False


def test_a_draft_with_the_artifact_of_a_build_deploys_it(builds, succeeded, sluice):
    draft = builds.api.post("/api/v1/deploy-drafts", {
        "artifact_id": succeeded["id"], "agent_config": {"agent_name": "of-draft-and-build"}}).json
    assert "missing" not in draft
    completed = builds.api.post(f"/api/v1/deploy-drafts/{draft['id']}/complete", {})
    assert completed.status == 200 and completed.json["status"] == "COMPLETED", completed
    assert DeployedAgents(sluice).ask("of-draft-and-build", "hello")["response"] == "built hello"


def test_an_agent_of_a_build_answers(builds, succeeded, sluice):
    answer = builds.api.post("/api/v1/deploy", {"agent_name": "answers", "artifact_id": succeeded["id"]})
    assert answer.status == 201, answer
    assert "built hello" in str(DeployedAgents(sluice).ask("answers", "hello"))


def test_a_failed_build_says_what_pip_said(builds):
    failed = builds.ended(builds.request("broken", requirements="no-such-package-of-sluice==9.9"))
    assert failed["status"] == "FAILED" and failed["completed_at"]
    assert "no-such-package-of-sluice" in failed["error"]
    logs = builds.api.get(f"/api/v1/builds/{failed['id']}/logs")
    assert logs.status == 200 and "No matching distribution" in logs.json["logs"], logs
    answer = builds.api.post("/api/v1/deploy", {"agent_name": "x", "artifact_id": failed["id"]})
    assert (answer.status, answer.error) == (409, "build is FAILED, must be SUCCEEDED to be deployed")


def test_requirements_that_are_no_packages_fail_the_build(builds):
    failed = builds.ended(builds.request("options", requirements="--index-url http://evil.test"))
    assert failed["status"] == "FAILED" and "name packages of the index" in failed["error"]


def test_builds_are_listed_newest_first_by_pages(builds):
    made = [builds.request(f"listed-{number}") for number in range(3)]
    listed = builds.api.get("/api/v1/builds").json
    assert [build["id"] for build in listed[:3]] == [build["id"] for build in reversed(made)]
    page = builds.api.get("/api/v1/builds?limit=2")
    assert [build["id"] for build in page.json] == [build["id"] for build in listed[:2]]
    cursor = re.search(r"cursor=(\d+)", page.headers["link"])[1]
    assert builds.api.get(f"/api/v1/builds?limit=1&cursor={cursor}").json[0]["id"] == listed[2]["id"]


def test_a_build_shows_a_recipe_for_an_image(succeeded):
    recipe = succeeded["dockerfile"].splitlines()
    assert recipe[0] == "FROM docker.io/library/python:3.12-slim" and "USER 65534:65534" in recipe
    assert recipe[-1] == 'CMD ["python3","-m","runagents.runtime"]'
    assert "image_id" not in succeeded


def test_a_build_that_waits_or_is_made_can_be_cancelled(builds):
    made = builds.request("slow", requirements="no-such-package-a==1")
    waiting = builds.request("waiting")
    builds.until(made, lambda now: now["status"] != "PENDING")
    for build in (waiting, made):
        answer = builds.api.post(f"/api/v1/builds/{build['id']}/cancel")
        assert answer.status == 200, answer
        assert answer.json["status"] == "FAILED" and answer.json["error"].startswith("cancelled by ")
        again = builds.api.post(f"/api/v1/builds/{build['id']}/cancel")
        assert again.status == 409 and "must be PENDING or BUILDING to cancel" in again.error
    # The next one is not held up by what was cancelled.
    assert builds.ended(builds.request("after"))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("body, message", [
    ({}, "name is required"), ({"name": "a"}, "files is required"), ({"name": 1, "files": FILES}, "name must be a string"),
    ({"name": "—", "files": FILES}, "at least one letter"), ({"name": "a", "files": {}}, "at least one file"),
    ({"name": "a", "files": {"a.py": []}}, "a.py must be a string"),
    ({"name": "a", "files": {"../a.py": ""}}, "relative path"),
    ({"name": "a", "files": FILES, "entry_point": "b.py"}, "entry_point b.py is not among the files"),
    ({"name": "a", "files": FILES, "requirements": ["x"]}, "requirements must be a string"),
    ({"name": "a", "files": FILES, "framework": {}}, "framework must be a string"),
])
def test_what_cannot_be_built_is_refused(builds, body, message):
    answer = builds.api.post("/api/v1/builds", body)
    assert answer.status == 400 and message in answer.error, answer


def test_an_unknown_build_is_not_found(builds):
    for path in ("", "/logs"):
        for name in ("build-00000000-0000-0000-0000-000000000000", "build-x", "x"):
            answer = builds.api.get(f"/builds/{name}{path}")
            assert (answer.status, answer.error) == (404, "build not found")
    answer = builds.api.post("/api/v1/deploy", {"agent_name": "x", "artifact_id": "build-x"})
    assert answer.status == 400 and "no build of this workspace" in answer.error


def test_every_era_and_no_other_workspace_sees_a_build(builds, succeeded):
    for prefix in ("", "/ingestion", "/api", "/api/ingestion", "/api/v1", "/api/v1/workspaces/default"):
        assert builds.api.get(f"{prefix}/builds/{succeeded['id']}").json == succeeded
    assert builds.api.get(f"/api/v1/workspaces/elsewhere/builds/{succeeded['id']}").status == 404


def test_builds_that_a_crash_cuts_off_are_driven_on(own_sluice):
    builds = Builds(own_sluice())
    made = [builds.request("first"), builds.request("second")]
    builds.until(made[0], lambda now: now["status"] != "PENDING")
    builds.sluice.restart()
    assert [builds.ended(build)["status"] for build in made] == ["SUCCEEDED", "SUCCEEDED"]
    before = [builds.get(build) for build in made]
    builds.sluice.stop()
    for file in builds.sluice.data.glob("read-model.sqlite*"):
        file.unlink()
    builds.sluice.start()
    assert [builds.get(build) for build in made] == before
