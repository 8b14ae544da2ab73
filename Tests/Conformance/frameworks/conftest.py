import os

import pytest

import table
from framework_agents import FRAMEWORKS

outcomes = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" or report.failed:
        outcomes[item.name] = outcomes.get(item.name, True) and report.passed
    return report


def pytest_sessionfinish(session):
    """`make frameworks` writes the table; a part of the tests would write a part of it."""
    if os.environ.get("FRAMEWORKS") == "all" and session.testscollected >= 4 * len(FRAMEWORKS) and outcomes:
        table.write(FRAMEWORKS, outcomes)
