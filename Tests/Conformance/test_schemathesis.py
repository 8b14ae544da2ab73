"""Whatever the document allows and whatever it forbids: no failure of the server's own, no answer that it does not
describe, nothing without a key.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from served_routes import World
from sluice_process import ADMIN_KEY, SluiceProcess

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "50"))
CONFIGURATION = """
seed = {seed}
[generation]
# JSON may not have it: the answer says so, and the document cannot.
allow-x00 = false
[warnings]
display = []
# A model that is not there is 502 by the contract, and paying is 501.
[[operations]]
include-path-regex = "/(chat/completions|embeddings|messages)$|^/billing/"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501", "502"]
"""
# Streams do not end by themselves, tools are whatever they are, and a real agent is called.
LEFT_OUT = r"/events/stream$|/logs$|^/egress|^/echo|/invoke$"
# What the document cannot say of a request is found where the request is judged, not here: what a chat, a plan, a
# connector or a deploy needs depends on what its words lead to. About 40 operations still differ.
CHECKS_LEFT_OUT = "positive_data_acceptance,negative_data_rejection"


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("schemathesis"), {"SLUICE_LLM_TIMEOUT": "2s"}).start()
    World(process)
    yield process
    assert process.stop() == 0


def test_the_api_is_what_its_document_says(sluice, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION.format(seed=20261126))
    arguments = [
        pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", tmp_path / "schemathesis.toml", "run",
        sluice.url + "/openapi.json", "--header", f"X-RunAgents-API-Key: {ADMIN_KEY}",
        "--header", f"Authorization: Bearer {ADMIN_KEY}", "--checks", "all", "--exclude-checks", CHECKS_LEFT_OUT,
        "--max-examples", str(EXAMPLES), "--exclude-path-regex", LEFT_OUT, "--continue-on-failure",
        "--request-timeout", "30", "--workers", "2", "--phases", "examples,coverage,fuzzing,stateful", "--no-color"]
    done = subprocess.run([str(each) for each in arguments], capture_output=True, text=True, timeout=1800, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "stateful" in done.stdout.lower()
