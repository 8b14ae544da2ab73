"""A client that a generator makes of /openapi.json, against the daemon that serves it."""

import json
import subprocess

import pytest

from sluice_process import ADMIN_KEY, ROOT

GENERATOR = ROOT / ".venv/openapi-client/bin"


@pytest.fixture(scope="module")
def generated(sluice, tmp_path_factory):
    """The directory of the package, and what the generator said."""
    directory = tmp_path_factory.mktemp("generated")
    (directory / "openapi.json").write_bytes(sluice.client().get("/openapi.json").content)
    ended = subprocess.run(
        [GENERATOR / "openapi-python-client", "generate", "--path", directory / "openapi.json", "--meta", "none",
         "--output-path", directory / "sluice_client"],
        capture_output=True, text=True, timeout=300, env={"PATH": f"{GENERATOR}:/usr/bin:/bin"})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return directory, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def driven(sluice, generated):
    ended = subprocess.run(
        [GENERATOR / "python", ROOT / "Tests/Conformance/clients/generated.py", generated[0], sluice.url, ADMIN_KEY],
        capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_generator_understands_all_but_a_text_format(generated):
    """Witnesses exchange signed notes, which are text and no JSON."""
    warnings = [line for line in generated[1].splitlines() if line.startswith(("WARNING", "ERROR", "Unable"))]
    assert warnings == ["WARNING parsing POST /audit/witness/add-checkpoint within audit. Endpoint will not be generated."]


def test_it_deploys_and_lists(driven):
    assert driven["deployed"] == "generated-client" and "generated-client" in driven["agents"]
    assert "image" in driven["refused"] and driven["runs"] == [driven["run"]]


def test_it_shows_an_approver_the_call_and_approves_it(driven):
    assert driven["is_pending"] and driven["shown"] == ["pay", "a" * 64, "POST", "https://bank.test/payments"]
    assert driven["decided"] == "APPROVED" and driven["action"] == "APPROVED"


def test_its_models_have_every_member_that_is_served(driven):
    assert [members for members in driven["unknown"] if members] == []
