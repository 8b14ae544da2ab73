"""`sluice spend` shows who used how much, by group and since when."""

import datetime
import json

import pytest

from metered_team import MeteredTeam
from sluice_process import SluiceProcess

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    sluice = SluiceProcess(tmp_path_factory.mktemp("spend-command")).start()
    team = MeteredTeam(sluice)
    team.ask({"X-End-User-ID": "ada"})
    team.ask({"X-End-User-ID": "ada"})
    team.ask({"X-End-User-ID": "b%E2%80%AEob"})
    yield team
    team.model.close()
    assert sluice.stop() == 0


def spend(team, *arguments):
    return team.sluice.run(
        "spend", "--url", team.sluice.url, *arguments, SLUICE_API_KEY=team.sluice.key("viewer", team.workspace))


@pytest.mark.parametrize("group, first", [
    ("user", "ada"), ("agent", "payer"), ("model", "m"), ("provider", "p"), ("day", None)])
def test_usage_is_shown_by_group(team, group, first):
    answer = spend(team, "--by", group, "--since", "7d")
    assert answer.returncode == 0, answer.stderr
    total, header, row, *rest = answer.stdout.split("\n")
    assert total.startswith("0.0171 USD from ") and " to " in total
    assert header.split() == [group.upper(), "CALLS", "FAILED", "REFUSED", "UNPRICED", "PROMPT", "CACHED", "COMPLETION", "COST", "USD"]
    calls = 2 if group == "user" else 3
    today = datetime.datetime.now(datetime.timezone.utc).date()
    names = [first] if first else [str(TODAY), str(today)]
    assert row.split()[0] in names
    assert row.split()[1:] == [str(n) for n in (calls, 0, 0, 0, 7 * calls, 0, 5 * calls)] + [
        {2: "0.0114", 3: "0.0171"}[calls]]
    assert "\u202e" not in answer.stdout


def test_usage_is_shown_as_json_since_a_time(team):
    for since, days in [("7d", 7), ("2w", 14), (str(TODAY - datetime.timedelta(3)), None)]:
        answer = spend(team, "--since", since, "--json")
        assert answer.returncode == 0, answer.stderr
        shown = json.loads(answer.stdout)
        assert shown["group_by"] == "model" and shown["rows"][0]["calls"] == 3
        first, last = (datetime.date.fromisoformat(shown[name]) for name in ("from", "to"))
        assert (last - first).days == days if days else first == TODAY - datetime.timedelta(3)
    assert json.loads(spend(team, "--by", "user", "--limit", "1", "--json").stdout)["has_more"] is True


@pytest.mark.parametrize("arguments", [("--by", "tool"), ("--since", "7h"), ("--since", "0d"), ("--since", "500d"), ("--since", "58w"), ("--since", "7d&limit=1")])
def test_a_group_or_a_time_that_is_none_is_refused_before_anything_is_asked(team, arguments):
    answer = spend(team, *arguments)
    assert answer.returncode == 64 and arguments[0] in answer.stderr, answer


def test_the_sum_is_that_of_all_rows(team):
    answer = spend(team, "--by", "user", "--limit", "1")
    total, _, row, more = answer.stdout.rstrip("\n").split("\n")
    assert total.startswith("0.0171 USD from ") and row.split()[-1] == "0.0114" and more == "there are more: raise --limit"
    shown = json.loads(spend(team, "--by", "user", "--limit", "1", "--json").stdout)
    assert len(shown["rows"]) == 1 and shown["total"] == {
        "calls": 3, "failed_calls": 0, "refused_calls": 0, "estimated_calls": 0, "unpriced_calls": 0, "prompt_tokens": 21,
        "completion_tokens": 15, "cached_tokens": 0, "cost_usd": 0.0171}
    nothing = team.get("/model-usage?group_by=user&from=2020-01-01&to=2020-01-02").json
    assert nothing["rows"] == [] and nothing["total"]["calls"] == 0 and nothing["total"]["cost_usd"] == 0


def test_calls_without_a_price_are_said_and_how_to_give_them_one(team):
    other = MeteredTeam(team.sluice)
    other.ask()
    assert "without a price" not in spend(other).stdout + spend(other, "--by", "agent").stdout
    other.provide(prices=None)
    other.ask()
    for arguments in ((), ("--by", "model", "--since", "1d")):
        *shown, said = spend(other, *arguments).stdout.rstrip("\n").split("\n")
        assert shown[0].startswith("0.0057 USD ")
        assert said.startswith("1 call without a price, not in the sum: ") and "spec.prices" in said
    row = spend(other, "--by", "model").stdout.split("\n")[2].split()
    assert row[:5] == ["m", "2", "0", "0", "1"]
    assert other.spend()["summary"]["unpriced_calls"] == 1
    other.model.close()


@pytest.mark.parametrize("query", ["since=7h", "since=7d&from=2026-01-01", "since=9999d", "since=60w"])
def test_the_api_refuses_a_time_that_is_none(team, query):
    answer = team.get("/model-usage?" + query)
    assert answer.status == 400 and "since " in answer.error, answer


def test_without_a_group_the_month_is_shown_beside_the_budgets(team):
    answer = spend(team)
    assert answer.returncode == 0 and answer.stdout.startswith("0.0171 USD since ") and "AGENT" in answer.stdout
