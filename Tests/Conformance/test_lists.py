"""Lists: the whole array by default, however long; pages for those who ask for them."""

import http.client
import json
import re

import pytest

# More than the server reads at once, in rows; and in bytes, with messages of 40 KB.
ROWS, LARGE = 2100, 40_000


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


def test_a_list_that_examines_many_rows_in_vain_is_whole_and_its_pages_end(long):
    api, runs, _ = long
    until = api.get(f"/runs/{runs[1]}").json["updated_at"]
    for filters, expected in (("user_id=u&agent_id=none", []),
                              (f"user_id=u&updated_before={until}&sort=-created_at", runs[:1])):
        assert [each["id"] for each in api.get(f"/runs?{filters}").json] == expected
        first = api.get(f"/runs?{filters}&limit=100")
        assert first.json == [] and "rel=\"next\"" in first.headers["link"], "a page examines a bounded number of rows"
        page, found = first, []
        while link := re.fullmatch(r'<(\?[^>]+)>; rel="next"', page.headers.get("link", "")):
            page = api.get("/runs" + link[1])
            found += [each["id"] for each in page.json]
        assert found == expected


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


@pytest.fixture(scope="module")
def mixed(sluice):
    """A workspace with a few of everything, made in an order that is no alphabet's."""
    api = sluice.client(sluice.key("admin", "mixed"))
    made = [
        ("/api/v1/deploy", lambda name: {"agent_name": name, "image": "i:1", "invoke_url": "http://127.0.0.1:1/"}),
        ("/api/v1/tools", lambda name: {"name": name, "base_url": "https://" + name + ".test", "auth_type": "None"}),
        ("/api/v1/policies", lambda name: {"name": name, "spec": {"policies": []}}),
        ("/api/v1/approval-connectors", lambda name: {"name": name, "endpoint": "http://127.0.0.1:1/hook"}),
        ("/api/v1/builds", lambda name: {"name": name, "files": {"agent.py": ""}}),
        ("/api/v1/auth/api-keys", lambda name: {"name": name, "role": "viewer"})]
    for name in ("mid", "zeta", "alpha"):
        for path, body in made:
            answer = api.post(path, body(name))
            assert answer.status in (200, 201, 202), answer
        for user in ("u", "t"):
            assert api.post("/api/v1/runs", {"agent_id": name, "user_id": user}).status == 201
        assert api.post("/api/v1/approvals/requests", {"subject": name, "tool_id": "alpha"}).status == 201
    return api


NAMES = {"/agents": "name", "/tools": "name", "/policies": "name", "/approval-connectors": "name", "/builds": "name",
         "/auth/api-keys": "name", "/approvals/requests": "subject", "/runs": "agent_id"}


def shown(record, path):
    name = NAMES[path]
    return record["metadata"]["name"] if name not in record else record[name]


def marks(records):
    """What tells records apart; a build changes while it is looked at."""
    return [record.get("id") or shown(record, "/agents") for record in records]


@pytest.mark.parametrize("path", NAMES)
def test_a_list_is_sorted_as_asked_and_as_ever_without_that(mixed, path):
    whole = mixed.get("/api/v1" + path).json
    for field in (NAMES[path], "created_at"):
        up = mixed.get(f"/api/v1{path}?sort={field}").json
        down = mixed.get(f"/api/v1{path}?sort=-{field}").json
        assert marks(down) == marks(up)[::-1] and len(up) == len(whole) >= 3
        values = [shown(record, path) for record in up]
        assert values == sorted(values) if field != "created_at" else values != sorted(values)
    assert marks(mixed.get(f"/api/v1{path}?sort=").json) == marks(whole) == marks(mixed.get("/api/v1" + path).json)
    refused = mixed.get(f"/api/v1{path}?sort=size")
    assert refused.status == 400 and "created_at" in refused.error
    assert mixed.get(f"/api/v1{path}?sort=--created_at").status == 400


@pytest.mark.parametrize("path, query", [
    ("/runs", "sort=agent_id"), ("/runs", "sort=-user_id&user_id=u&limit=2"), ("/runs", "sort=created_at"),
    ("/runs", "sort=-status&status=RUNNING"), ("/runs", "user_id=t"), ("/approvals/requests", "sort=-subject"),
    ("/approvals/requests", "sort=tool_id"), ("/builds", "sort=name")])
def test_pages_of_a_sorted_list_keep_its_order_and_its_filters(mixed, path, query):
    base = "/api/v1" + path
    whole = mixed.get(f"{base}?{query.split('&limit')[0]}").json
    found, next_query = [], "?limit=1&" + query.split("&limit")[0]
    while next_query:
        answer = mixed.get(base + next_query)
        assert answer.status == 200, answer
        found += answer.json
        link = re.fullmatch(r'<(\?[^>]+)>; rel="next"', answer.headers.get("link", ""))
        next_query = link and link[1]
    assert [each["id"] for each in found] == [each["id"] for each in whole] and whole


def test_a_cursor_that_names_no_row_is_refused(mixed):
    refused = mixed.get("/api/v1/runs?sort=agent_id&limit=1&cursor=1")
    assert refused.status == 404 and "begin again" in refused.error


def test_builds_are_listed_by_their_status(mixed):
    listed = [record["id"] for status in ("PENDING", "BUILDING", "succeeded", "FAILED")
              for record in mixed.get("/api/v1/builds?status=" + status).json]
    assert len(listed) >= 2
    assert mixed.get("/api/v1/builds?status=DONE").status == 400
