import os

import pytest

import table
from framework_agents import FRAMEWORKS
from sluice_process import SluiceProcess

outcomes = {}


@pytest.fixture(scope="module")
def framework_sluice(tmp_path_factory):
    """A daemon whose agents see the environments that `make clients` has installed: those are in no sandbox."""
    process = SluiceProcess(tmp_path_factory.mktemp("frameworks"), {
        "SLUICE_AGENT_SANDBOX": "none", "SLUICE_INVOKE_BACKOFF_MIN": "100ms", "SLUICE_INVOKE_TIMEOUT": "60s",
        "SLUICE_AGENT_START_TIMEOUT": "120s"}).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def approver(framework_sluice):
    return framework_sluice.client(framework_sluice.key("approver"))


def pytest_runtest_logreport(report):
    if report.when == "call" or report.failed:
        name = report.nodeid.rsplit("::", 1)[-1]
        outcomes[name] = outcomes.get(name, True) and report.passed


def pytest_sessionfinish(session):
    """`make frameworks` writes the table; a run of some of its tests writes their cells."""
    if os.environ.get("FRAMEWORKS") == "all" and outcomes and not hasattr(session.config, "workerinput"):
        table.write(FRAMEWORKS, outcomes)
