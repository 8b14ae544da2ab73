"""The samples of the published documentation, of both eras, with only host and key changed."""

import pytest

from compatibility import check_table
from request_tables import Table

TABLE = Table("samples.yaml", "samples", "sample")


@pytest.fixture(scope="module")
def key(sluice):
    return sluice.key("admin")


@pytest.mark.parametrize("version, row", TABLE.parameters())
def test_a_sample_is_answered_as_documented(sluice, key, version, row):
    TABLE.check(version, row, sluice, key)


def test_the_table_has_each_sample_once_an_era():
    TABLE.check_rows()


def test_the_document_says_what_comes_of_every_sample(sluice, key):
    pages = {row["sample"]: row["page"] for _, row in TABLE.rows}
    check_table("samples", ["page", "sample", *TABLE.versions], [
        [f"`{pages[sample]}`", sample, *cells] for sample, *cells in TABLE.cells(sluice, key)])
