import pathlib
import resource
import shutil
import subprocess
import sys

import pytest

from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

SHIM = pathlib.Path(__file__).parent / "faults" / "shim.c"

# Tests of overload have thousands of connections, at both ends.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

# Files that take longest, longest first: the others fill the workers' time beside them.
SLOW = [
    "test_schemathesis.py", "test_frameworks.py", "test_model_clients.py", "test_crash.py", "test_build_images.py", "test_agents_run.py", "test_egress_recovery.py",
    "test_langgraph.py", "test_agents_loop.py", "test_as_of.py", "test_image_agents.py", "test_builds.py",
    "test_agent_api.py", "test_sandbox.py", "test_judged_is_sent.py", "test_hostile_servers.py", "test_exhaustion.py",
    "test_hostile_package.py", "test_agent_ways_out.py",
]


def pytest_collection_modifyitems(items):
    """Begins with the slow files; the order within a file stays."""
    places = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: places.get(item.path.name, len(SLOW)))


@pytest.fixture(scope="session")
def sluice(tmp_path_factory):
    """One daemon for the tests that neither kill it nor count what is in it."""
    process = SluiceProcess(tmp_path_factory.mktemp("shared")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def server():
    """A tool's server, whose answers a test states."""
    tool = ScriptedTool()
    yield tool
    tool.close()


@pytest.fixture
def own_sluice(tmp_path):
    """Makes daemons of a test's own, with its own settings; all are stopped at its end."""
    made = []

    def make(**settings):
        directory = tmp_path / f"sluice-{len(made)}"
        directory.mkdir()
        made.append(SluiceProcess(directory, settings).start())
        return made[-1]

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def api(sluice):
    """The admin's requests."""
    return sluice.client()


@pytest.fixture
def run(api):
    """A new run, driven by its client."""
    answer = api.post("/runs", {"agent_id": "a", "user_id": "u"})
    assert answer.status == 201
    return answer.json


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The library that makes calls of the daemon fail."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if sys.platform != "linux" or not compiler:
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SHIM, "-ldl"], check=True)
    return library


@pytest.fixture
def faulty(own_sluice, shim, tmp_path):
    """Makes daemons on a machine that fails as the files in their `faults` say."""
    faults = tmp_path / "faults"
    faults.mkdir()

    def make(**settings):
        sluice = own_sluice(LD_PRELOAD=str(shim), FAULTS=str(faults), **settings)
        sluice.faults = faults
        return sluice

    return make
