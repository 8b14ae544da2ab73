"""The published command line, five versions of it: its requests as a table, and what its user must see of the answers."""

import pytest

from compatibility import check_table
from request_tables import Table

TABLE = Table("commands.yaml", "commands", "command")


@pytest.fixture(scope="module")
def key(sluice):
    """A key as users have them: of the prefix that decides how the command line sends it."""
    token = sluice.key("admin")
    assert token.startswith("ra_ws_")
    return token


@pytest.mark.parametrize("version, row", TABLE.parameters())
def test_a_command_gets_what_it_prints(sluice, key, version, row):
    TABLE.check(version, row, sluice, key)


def test_the_table_has_each_command_once_a_version():
    TABLE.check_rows()


def test_the_document_says_what_comes_of_every_command(sluice, key):
    check_table("commands", ["command", *TABLE.versions], [
        [f"`{command}`", *cells] for command, *cells in TABLE.cells(sluice, key)])
