"""The published model clients, each in its own environment, against a provider of every kind."""

import itertools

import pytest

from compatibility import check_table
from models.clients.client_world import CLIENTS, ClientWorld
from models.clients.drivers.scenarios import EXPECTED, SCENARIOS
from models.clients.strict_providers import KINDS
from sluice_process import SluiceProcess

TITLES = {
    "whole": "whole", "streamed": "streamed", "tool": "tool call", "parallel": "parallel calls, streamed",
    "structured": "structured", "cut": "cut by `max_tokens`", "refused": "400", "limited": "429",
    "broken": "error in a stream", "budget": "402", "embeddings": "embeddings", "counted": "tokens counted", "listed": "models listed"}
EVERY_CLIENT = {"streamed", "tool", "parallel", "structured", "refused"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("clients")).start()
    world = ClientWorld(process)
    yield world
    world.close()
    assert process.stop() == 0


def outcome(client, kind, scenario, found):
    """The cell of the table, and the difference from what is expected."""
    expected = {name: fact for name, fact in EXPECTED[scenario].items() if name not in client.lacks}
    if scenario in client.errors:
        expected["class"] = client.errors.get(f"{scenario}_by_{kind}", client.errors[scenario])
    return ("works", {}) if found == expected else ("fails", {"found": found, "expected": expected})


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name.replace(", ", "-"))
def test_a_client_gets_from_every_kind_of_provider_what_its_own_would_give(world, client):
    reported = world.found(client.driver, client.environment)
    differences = {}
    for kind in KINDS:
        scenarios = {scenario for name, of_kind, scenario in reported if (name, of_kind) == (client.name, kind)}
        assert EVERY_CLIENT <= scenarios, scenarios
        for scenario in scenarios:
            _, difference = outcome(client, kind, scenario, reported[client.name, kind, scenario])
            if difference:
                differences[kind, scenario] = difference
    assert not differences, "\n".join(f"{where}: {difference}" for where, difference in differences.items())


def test_the_table_of_model_clients_says_what_each_of_them_gets(world):
    def row(client, kind):
        reported = world.found(client.driver, client.environment)
        for scenario in SCENARIOS:
            found = reported.get((client.name, kind, scenario))
            yield "-" if found is None else outcome(client, kind, scenario, found)[0]
    check_table("model clients", ["client", "provider", *(TITLES[scenario] for scenario in SCENARIOS)], [
        [client.title, f"`{kind}`", *row(client, kind)] for client, kind in itertools.product(CLIENTS, KINDS)])
