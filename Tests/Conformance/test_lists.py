"""Lists: the whole array by default, however long; pages for those who ask for them."""

import http.client
import json
import re

import pytest

# More than the server reads at once, in rows; and in bytes, with messages of 40 KB.
ROWS, LARGE = 1100, 40_000


@pytest.fixture(scope="module")
def long(sluice):
    """A run with a long timeline, and many runs and access requests of one workspace."""
    api = sluice.client(sluice.key("admin", "long"))
    runs = [api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"] for _ in range(ROWS)]
    path = f"/runs/{runs[0]}/events"
    for number in range(60):
        body = {"type": "USER_MESSAGE", "data": {"message": str(number) + "x" * LARGE}}
        assert api.post(path, body).status == 201
    for number in range(3):
        assert api.post("/approvals/requests", {"subject": f"user {number}", "tool_id": "t"}).status == 201
    return api, runs, path


def test_a_list_that_is_longer_than_a_page_comes_whole_and_in_order(long):
    api, runs, path = long
    answer = api.get("/api/v1/runs")
    assert [each["id"] for each in answer.json] == runs[::-1]
    assert answer.headers["content-type"] == "application/json"
    assert "content-length" not in answer.headers, "it was not sent page by page"
    events = api.get(path)
    assert [each["seq"] for each in events.json] == list(range(1, 61))
    assert len(events.content) > 60 * LARGE
    assert api.get(f"{path}?after_seq=2").json == events.json[2:]
    assert api.get(f"{path}?after_seq=1&limit=50").json == events.json[1:51]
    assert api.get(f"{path}?limit=1").json == events.json[:1]


def test_pages_by_link_are_the_whole_list_without_repetition(long):
    api, runs, _ = long
    for base, whole in (("/runs", runs[::-1]), ("/approvals/requests", None)):
        found, query, pages = [], "?limit=400" if whole else "?limit=2", 0
        while query:
            answer = api.get(base + query)
            found += [each["id"] for each in answer.json]
            link = re.fullmatch(r'<(\?[^>]+)>; rel="next"', answer.headers.get("link", ""))
            query, pages = link and link[1], pages + 1
        assert found == (whole or [each["id"] for each in api.get(base).json])
        assert pages > 1


def test_a_short_list_has_its_length(long):
    api, _, _ = long
    answer = api.get("/runs?status=COMPLETED")
    assert (json.loads(answer.content), answer.headers["content-length"]) == ([], "2")


def test_a_client_that_leaves_in_the_middle_of_a_list_harms_nobody(long, sluice):
    api, runs, path = long
    connection = http.client.HTTPConnection("127.0.0.1", sluice.port, timeout=30)
    connection.request("GET", path, headers=api.headers)
    assert connection.getresponse().read(10)
    connection.close()
    assert len(api.get(path).json) == 60
