"""A hostile agent, inside its sandbox: the calls that lead to the kernel are closed, and it is the first to die."""

import os

import pytest

import system_calls
from deployed_agents import DeployedAgents
from sluice_process import SluiceProcess

# Runs the message as code; what it prints or raises is the answer.
HOSTILE = """
import contextlib, io, traceback

def handler(request, context=None):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(request["message"], {})
        except BaseException:
            traceback.print_exc(file=out)
    return {"response": out.getvalue()}
"""


@pytest.fixture(scope="module")
def attempt(tmp_path_factory):
    process = SluiceProcess(
        tmp_path_factory.mktemp("syscalls"), {"SLUICE_AGENT_SANDBOX": "required", "SLUICE_INVOKE_ATTEMPTS_MAX": "1"})
    agents = DeployedAgents(process.start())
    agents.deploy("hostile", HOSTILE)
    agents.await_phase("hostile", "Running")
    yield lambda code: agents.ask("hostile", code)["response"]
    assert process.stop() == 0


def test_the_closed_calls_fail_and_newer_ones_do_not_exist(attempt):
    system_calls.check(attempt(system_calls.PROBE))


def test_children_of_the_agent_are_filtered_too(attempt):
    found = attempt(f"""
import subprocess, sys
print(subprocess.run([sys.executable, "-c", {system_calls.PROBE!r}], capture_output=True, text=True).stdout)
""")
    system_calls.check(found)


def test_it_sees_nothing_of_what_the_operator_installed(attempt):
    assert os.path.isdir("/usr/local")
    found = attempt("""
import os, sys
print(sys.base_prefix.startswith("/usr/local"), os.listdir("/usr/local"))
try:
    open("/usr/local/x", "w")
    print("WRITTEN")
except OSError as error:
    print(error.errno)
""").split("\n")
    if found[0].startswith("True"):
        pytest.skip("the Python of this machine lives there")
    assert found[0] == "False []" and found[1] in ("13", "30"), found
