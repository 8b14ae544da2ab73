import pytest

from sluice_process import SluiceProcess


@pytest.fixture(scope="session")
def sluice(tmp_path_factory):
    """One daemon for the tests that neither kill it nor count what is in it."""
    process = SluiceProcess(tmp_path_factory.mktemp("shared")).start()
    yield process
    assert process.stop() == 0


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
