"""Builds that make a container image too: by podman, buildah or docker, from a base image that is on the machine."""

import pathlib
import time
import uuid

import pytest

from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess
from test_builds import Builds
from test_image_agents import RUNTIME, containers, docker, podman, python_files

FILES = {
    "agent.py": "from parts import words\n\ndef handler(request, context=None):\n    return words.of(request['message'])\n",
    "parts/__init__.py": "", "parts/words.py": "def of(message):\n    return 'image built ' + message\n"}
MARKER = f"slow-{uuid.uuid4().hex}"
# In the place of pip: says something, and never comes to an end.
SLOW = f"""
import os, sys
print("installing for ever", flush=True)
os.execv("/usr/bin/python3", ["python3", "-c", "import time; time.sleep(600)", "{MARKER}"])
"""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def fill(engine):
    packages = RUNTIME.parent
    base = python_files() + [(str(packages), "/usr/lib/python3/dist-packages"), (CERTIFICATES, CERTIFICATES)]
    path = ["ENV PATH=/usr/bin:/bin"]
    engine.make("localhost/base:1", base, changes=path)
    slow = engine.directory / "slow"
    slow.mkdir()
    (slow / "__init__.py").write_text("")
    (slow / "__main__.py").write_text(SLOW)
    engine.make("localhost/slow:1", python_files() + [(str(slow), "/usr/lib/python3/dist-packages/pip")], changes=path)
    note = engine.directory / "note"
    note.write_text("nothing to run")
    engine.make("localhost/empty:1", [(str(note), "/note")])


class ImageBuilds(Builds):
    """An image is copied whole for each line of its recipe, where the builder has no better way on this machine."""

    seconds_max = 300


@pytest.fixture(scope="module", params=["podman", "buildah", "docker"])
def world(request, tmp_path_factory):
    """A builder, the engine that runs what it makes, and the settings for both."""
    directory = tmp_path_factory.mktemp("builder")
    with (docker if request.param == "docker" else podman)(directory) as engine:
        listed = engine.run("ps")
        if listed.returncode != 0:
            pytest.skip(f"{engine.program} does not work on this machine, so that it makes no images here: "
                        + listed.stderr[-500:])
        fill(engine)
        settings = {
            "SLUICE_CONTAINER_ENGINE": engine.program, "SLUICE_CONTAINER_ARGUMENTS": " ".join(engine.arguments),
            "SLUICE_BUILD_IMAGES": request.param, "SLUICE_BUILD_IMAGE_BASE": "localhost/base:1",
            "SLUICE_BUILD_IMAGE_OPTIONS": "--network none"}
        if request.param == "buildah":
            settings["SLUICE_BUILD_IMAGES"] = "/usr/bin/buildah"
            settings["SLUICE_BUILD_IMAGE_ARGUMENTS"] = " ".join(engine.arguments[engine.arguments.index("--storage-driver"):])
            settings["SLUICE_BUILD_IMAGE_OPTIONS"] += " --runtime runc"
        yield engine, settings


@pytest.fixture(scope="module")
def module_sluice(tmp_path_factory, world):
    process = SluiceProcess(tmp_path_factory.mktemp("build-images"), world[1]).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def builder(request, world):
    """The same, where a test is not worth its time with every builder: podman stands for buildah, which it has inside."""
    if request.node.callspec.params["world"] not in getattr(request.function, "builders", ["podman"]):
        pytest.skip("shown with another builder")
    return world


def only_with(*builders):
    def mark(test):
        test.builders = builders
        return test
    return mark


@pytest.fixture
def builds(module_sluice):
    return ImageBuilds(module_sluice)


@pytest.fixture(scope="module")
def made(module_sluice):
    builds = ImageBuilds(module_sluice)
    return builds.ended(builds.request("imaged", FILES))


def test_a_build_makes_an_image_under_its_name_and_says_its_id(builds, made, world):
    engine, _ = world
    assert made["status"] == "SUCCEEDED", made
    assert made["image_id"].startswith("sha256:") and "image_error" not in made
    assert engine.run("images", "--quiet", "--no-trunc", made["image"]).stdout.split() == [made["image_id"]]
    logs = builds.api.get(f"/api/v1/builds/{made['id']}/logs").json["logs"]
    assert "Requirement already satisfied: runagents" in logs and "USER_ENTRY_POINT" in logs, logs
    assert "COPY src/ /app/" in made["dockerfile"] and made["dockerfile"].startswith("FROM localhost/base:1\n")


def test_the_same_content_is_the_same_image(builds, made):
    again = builds.ended(builds.request("imaged", FILES))
    assert (again["image"], again["image_id"]) == (made["image"], made["image_id"])
    other = builds.ended(builds.request("imaged", FILES | {"parts/words.py": "def of(message):\n    return 1\n"}))
    assert other["image"] != made["image"] and other["image_id"] != made["image_id"]


def test_an_agent_is_deployed_as_the_image_of_its_build(builds, made, world, module_sluice):
    body = {"agent_name": "in-image", "artifact_id": made["id"], "execution_mode": "image"}
    answer = builds.api.post("/api/v1/deploy", body)
    assert answer.status == 201, answer
    assert (answer.json["execution_mode"], answer.json["image_uri"]) == ("image", made["image"])
    assert DeployedAgents(module_sluice).ask("in-image", "hello")["response"] == "image built hello"
    assert len(containers(world[0])) == 1
    answer = builds.api.post("/api/v1/deploy", body | {"agent_name": "in-bundle", "execution_mode": "bundle"})
    assert answer.status == 201 and answer.json["execution_mode"] == "bundle"
    assert DeployedAgents(module_sluice).ask("in-bundle", "hello")["response"] == "image built hello"
    assert len(containers(world[0])) == 1
    for mode, status in (("pod", 400), (7, 400)):
        assert builds.api.post("/api/v1/deploy", body | {"execution_mode": mode}).status == status


@only_with("podman", "docker")
@pytest.mark.parametrize("base, words", [
    ("localhost/empty:1", "python3"), ("registry.invalid/python:3", "registry.invalid"), ("--help", "could not make")])
def test_an_image_that_cannot_be_made_fails_the_build_in_the_builders_words(own_sluice, builder, base, words):
    builds = ImageBuilds(own_sluice(**builder[1] | {"SLUICE_BUILD_IMAGE_BASE": base}))
    failed = builds.ended(builds.request("imaged", FILES))
    assert failed["status"] == "FAILED" and words in failed["error"] and "image_id" not in failed, failed
    assert words in builds.api.get(f"/api/v1/builds/{failed['id']}/logs").json["logs"] or base == "--help"
    assert not list((builds.sluice.data / "bundles").glob(".building-*"))


def running():
    """The processes that the slow base image has started."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and MARKER.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(entry.name)
        except OSError:
            continue
    return found


def await_that(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@only_with("podman", "docker")
def test_what_takes_too_long_or_is_cancelled_ends_with_what_it_has_started(own_sluice, builder):
    builds = ImageBuilds(own_sluice(**builder[1] | {"SLUICE_BUILD_IMAGE_BASE": "localhost/slow:1"}))
    slow = builds.request("slow", FILES)
    await_that(running)
    cancelled = builds.api.post(f"/api/v1/builds/{slow['id']}/cancel")
    assert cancelled.status == 200 and cancelled.json["error"].startswith("cancelled by ")
    await_that(lambda: not running())
    # The environment is there by now, so that the time is the image's alone.
    builds.sluice.settings["SLUICE_AGENT_BUILD_TIMEOUT"] = "3s"
    builds.sluice.restart()
    failed = builds.ended(builds.request("slow", FILES))
    assert failed["status"] == "FAILED" and "took longer" in failed["error"], failed
    await_that(lambda: not running())


def test_a_build_that_needs_no_image_succeeds_without_one_and_says_why(own_sluice, builder):
    builds = ImageBuilds(own_sluice(
        **builder[1] | {"SLUICE_BUILD_IMAGES": "auto", "SLUICE_BUILD_IMAGE_BASE": "registry.invalid/python:3"}))
    made = builds.ended(builds.request("plain", FILES))
    assert made["status"] == "SUCCEEDED" and "registry.invalid" in made["image_error"], made
    deployed = builds.api.post("/api/v1/deploy", {"agent_name": "plain", "artifact_id": made["id"]})
    assert deployed.status == 201 and deployed.json["execution_mode"] == "bundle"
    refused = builds.api.post(
        "/api/v1/deploy", {"agent_name": "plain", "artifact_id": made["id"], "execution_mode": "image"})
    assert refused.status == 409 and "no container image" in refused.error
    assert DeployedAgents(builds.sluice).ask("plain", "hello")["response"] == "image built hello"


def test_a_builder_that_is_not_there_is_named(own_sluice):
    builds = ImageBuilds(own_sluice(SLUICE_BUILD_IMAGES="/nowhere/buildah"))
    failed = builds.ended(builds.request("imaged", FILES))
    assert failed["status"] == "FAILED" and "/nowhere/buildah cannot be started" in failed["error"]
