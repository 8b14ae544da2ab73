"""Filters and searches of runs, alone and together, in pages; and the events of a run, newest first."""

import re
import urllib.parse

import pytest

from governed_agent import GovernedAgent, store_tool
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess


class World:
    """Runs of several agents and users, some of which have called a tool or failed for a reason."""

    def __init__(self, directory):
        self.sluice = SluiceProcess(directory).start()
        self.tool = ScriptedTool()
        store_tool(self.sluice, "card-charges", self.tool.url)
        self.payer = GovernedAgent(self.sluice, "payer", [("allow", ["*"], self.tool.url + "/*")])
        self.api = self.sluice.client()
        self.runs = []
        for number in range(12):
            run = self.payer.start(user=f"ada{number % 3}@example.test")
            if number % 2:
                assert self.payer.call(run, "POST", "card-charges", "/x", b"").status == 200
            if number % 4 == 0:
                reason = f"Card declined by Zürich bank, code E{number}"
                assert self.api.post(f"/runs/{run}/cancel", {"reason": reason}).status == 200
            self.runs.append(run)
        self.other = self.sluice.client(self.sluice.key("admin", "elsewhere"))
        for user in ("ada0@example.test", "card"):
            assert self.other.post("/runs", {"agent_id": "payer", "user_id": user}).status == 201

    def found(self, api=None, **filters):
        """The runs of all pages, as numbers; each page has a bounded length."""
        query, found = "?limit=2&" + urllib.parse.urlencode(filters), []
        while query:
            answer = (api or self.api).get("/api/v1/runs" + query)
            assert answer.status == 200, answer
            assert len(answer.json) <= 2
            found += [each["id"] for each in answer.json]
            link = re.fullmatch(r'<(\?[^>]+)>; rel="next"', answer.headers.get("link", ""))
            query = link and link[1]
        whole = (api or self.api).get("/api/v1/runs?" + urllib.parse.urlencode(filters))
        assert [each["id"] for each in whole.json] == found
        return [self.runs.index(run) if run in self.runs else run for run in found]

    def run(self, number):
        return self.payer.run(self.runs[number])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("queries"))
    yield world
    assert world.sluice.stop() == 0
    world.tool.close()


NEWEST = list(range(11, -1, -1))


def test_a_range_of_creation_has_its_beginning_and_not_its_end(world):
    first, end = world.run(3)["created_at"], world.run(9)["created_at"]
    assert world.found(created_after=first, created_before=end) == [8, 7, 6, 5, 4, 3]
    assert world.found(created_after=first, created_before=end, sort="created_at") == [3, 4, 5, 6, 7, 8]
    assert world.found(created_before=end, created_after=end) == []
    assert world.found(created_after=first, created_before=end, status="FAILED") == [8, 4]
    assert sorted(world.found(created_after=first, created_before=end, sort="user_id")) == [3, 4, 5, 6, 7, 8]


def test_a_range_of_updates_is_listed_in_their_order(world):
    assert world.found(updated_after=world.run(0)["updated_at"]) == NEWEST
    since = world.run(8)["updated_at"]
    assert world.found(updated_after=since) == [11, 10, 9, 8]
    assert world.found(updated_before=since) == NEWEST[4:]
    assert world.found(updated_after=since, status="FAILED") == [8]
    assert world.found(updated_before=since, sort="-created_at") == NEWEST[4:]
    assert world.found(sort="updated_at", user_id="ada1@example.test") == [1, 4, 7, 10]


def test_runs_are_found_by_the_tool_that_they_called(world):
    assert world.found(tool="card-charges") == [11, 9, 7, 5, 3, 1]
    assert world.found(tool="card-charges", user_id="ada0@example.test") == [9, 3]
    assert world.found(tool="card-charges", sort="updated_at") == [1, 3, 5, 7, 9, 11]
    assert world.found(tool="card") == []


def test_runs_are_found_by_words_of_their_error(world):
    assert world.found(error="declined") == [8, 4, 0]
    assert world.found(error="CARD zurich") == [8, 4, 0], "case and accents do not count"
    assert world.found(error="E8") == [8] and world.found(error="declined E8 E4") == []
    assert world.found(error="ada0") == [], "the user is no part of it"
    assert world.found(error="declined", user_id="ada2@example.test") == [8]


def test_words_are_searched_for_in_agent_user_reason_and_tools(world):
    assert world.found(q="payer") == NEWEST
    assert world.found(q="ada1@example.test") == [10, 7, 4, 1]
    assert world.found(q="declined ada2") == [8]
    assert world.found(q="card") == [11, 9, 8, 7, 5, 4, 3, 1, 0], "in the tool's name and in a reason"
    assert world.found(q="charges", error="declined") == []
    assert world.found(q="card", sort="created_at", status="RUNNING") == [1, 3, 5, 7, 9, 11]
    assert world.found(q="card", tool="card-charges", user_id="ada0@example.test") == [9, 3]
    assert world.found(q="example", created_after=world.run(9)["created_at"]) == [11, 10, 9]
    assert world.found(q="ada") == [], "a part of a word is no word"


def test_a_search_follows_what_becomes_of_a_run(world):
    run = world.payer.start(user="changing")
    assert [world.found(q="changing"), world.found(q="changing", error="overdrawn")] == [[run], []]
    assert world.api.post(f"/runs/{run}/cancel", {"reason": "overdrawn"}).status == 200
    assert world.found(q="changing overdrawn") == [run]
    assert world.api.get("/api/v1/runs?q=changing&as_of=1").json == []
    world.runs.append(run)


def test_another_workspace_is_never_found(world):
    other = world.found(world.other, q="payer")
    assert len(other) == 2 and not set(other) & set(NEWEST)
    for filters in ({"q": "declined"}, {"error": "declined"}, {"tool": "card-charges"}):
        assert world.found(world.other, **filters) == []
    assert world.found(world.other, q="card") == other[:1]


def test_a_key_of_one_agent_finds_its_own_runs_alone(world):
    assert world.api.post("/runs", {"agent_id": "auditor", "user_id": "ada0@example.test"}).status == 201
    key = world.api.post("/api/v1/auth/api-keys", {"name": "auditor", "role": "agent", "agent": "auditor"})
    assert key.status == 201, key
    api = world.sluice.client(key.json["token"])
    assert len(world.found(api, q="ada0")) == 1 and world.found(api, q="payer") == []
    assert world.found(api, tool="card-charges") == [] and world.found(api, error="declined") == []
    assert api.get("/api/v1/runs?agent_id=payer&q=ada0").status == 403


@pytest.mark.parametrize("query, said", [
    ("created_after=yesterday", "created_after must be a time"), ("updated_before=2026-13-01T00:00:00Z", "updated_before"),
    ("q=--", "letter or a digit"), ("error=%22%22", "letter or a digit"), ("q=" + "a+" * 17 + "a", "at most 16 words"),
    ("q=" + "a" * 257, "256 characters"), ("q=card&sort=user_id", "sort=created_at"), ("error=x&sort=-updated_at", "sort"),
    ("status=PAUSE", "status must be one of"), ("sort=updated_at&cursor=7", "cursor"),
    ("sort=updated_at&cursor=7-x", "cursor")])
def test_a_filter_that_means_nothing_is_refused_with_what_to_do(world, query, said):
    refused = world.api.get("/api/v1/runs?limit=5&" + query)
    assert refused.status == 400 and said in refused.error


@pytest.mark.parametrize("user", ["\u24b6", "\u2192", "\U0001f4a5", "\u19b0"])
def test_a_search_finds_the_runs_of_a_user_whose_name_has_no_word(world, user):
    run = world.api.post("/runs", {"agent_id": "nameless", "user_id": user}).json["id"]
    quoted = urllib.parse.quote(user)
    found = world.api.get(f"/api/v1/runs?limit=5&q=nameless&user_id={quoted}")
    assert [each["id"] for each in found.json] == [run]
    matched = world.api.get(f"/api/v1/runs?limit=5&q={quoted}")
    assert (matched.status == 400 and "letter or a digit" in matched.error) or matched.json == []


@pytest.mark.parametrize("words", [
    '"', 'a" OR "b', "user : ada0", "ada0 OR ada1", "NOT payer", "pay*", "NEAR(ada0 payer)", "{agent} : x", "^pay",
    "ada0 AND", "'; DROP TABLE runs --", "payer\x00ada9", "(", "ä\u0301x", "run_text", "-user : ada0"])
def test_the_syntax_of_the_search_index_means_nothing(world, words):
    answer = world.api.get("/api/v1/runs?q=" + urllib.parse.quote(words))
    assert answer.status in (200, 400) and (answer.status == 400 or answer.json == [])


def test_the_new_filters_select_what_is_cancelled(world):
    def matched(**body):
        answer = world.api.post("/api/v1/runs/cancel", body)
        assert answer.status == 200, answer
        return answer.json["matched"]

    assert matched(q="ada1@example.test", agent="payer") == 3
    assert matched(error="declined") == 0
    assert matched(q="card", updated_before=world.run(7)["updated_at"]) == 3
    preview = world.sluice.run(
        "runs", "cancel", "--url", world.sluice.url, "--filter", "q=ada2@example.test", "--filter",
        "updated-after=2020-01-01T00:00:00Z")
    assert preview.returncode == 0 and preview.stdout.startswith("3 unfinished runs match"), preview.stderr


def test_events_are_read_newest_first_while_more_are_added(world):
    run = world.payer.start(user="events")
    path = f"/runs/{run}/events"

    def add(count):
        for number in range(count):
            assert world.api.post(path, {"type": "NOTE", "data": {"number": number}}).status == 201

    add(9)
    whole = world.api.get(path).json
    assert world.api.get(f"{path}?order=desc").json == whole[::-1]
    assert world.api.get(f"{path}?order=asc").json == whole
    found, query = [], "?order=desc&limit=4"
    while page := world.api.get(path + query).json:
        found += page
        query = f"?order=desc&limit=4&before_seq={page[-1]['seq']}"
        add(2)
    assert found == whole[::-1]
    assert [each["seq"] for each in world.api.get(f"{path}?after_seq=2&before_seq=6&order=desc").json] == [5, 4, 3]
    assert [each["seq"] for each in world.api.get(f"{path}?after_seq=2&before_seq=6").json] == [3, 4, 5]
    refused = world.api.get(f"{path}?order=newest")
    assert refused.status == 400 and "asc or desc" in refused.error


@pytest.mark.parametrize("sort", ["created_at", "updated_at", "agent_id", "user_id", "status"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_cursor_of_any_size_is_answered(world, sort, sign):
    for position in (0, 1, 2**63 - 2, 2**63 - 1, 2**63, 2**64):
        for cursor in (position, f"{position}-0", f"{position}-{2**63 - 1}"):
            for more in ("", "&limit=2", "&agent_id=payer", "&q=card", "&tool=card-charges", "&status=RUNNING"):
                answer = world.api.get(f"/api/v1/runs?sort={sign}{sort}&cursor={cursor}{more}")
                assert answer.status in (200, 400, 404), answer
