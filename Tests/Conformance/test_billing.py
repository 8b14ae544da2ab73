"""What a workspace has used, day by day; and that nobody pays for a daemon of their own."""

import datetime

import pytest

from metered_team import MeteredTeam
from team import Team

COUNTS = ("runs", "tool_calls", "model_calls", "prompt_tokens", "completion_tokens")


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
def test_a_new_workspace_has_used_nothing_and_is_under_no_plan(sluice, base):
    team = Team(sluice, base)
    bill = team.get("/billing").json
    assert bill["plan_status"] == "self_hosted" and bill["unlimited"] is True
    assert (bill["actions_used"], bill["actions_limit"], bill["has_payment_method"]) == (0, 0, False)
    assert bill["period_start"][8:10] == "01" and 1 <= bill["days_remaining"] <= 31
    days = team.get("/billing/usage/daily").json
    assert len(days) == datetime.datetime.now(datetime.UTC).day and all(day["count"] == 0 for day in days)


def test_runs_calls_and_tokens_are_counted_also_after_a_rebuild(own_sluice):
    sluice = own_sluice()
    team = MeteredTeam(sluice)
    client = team.api
    for _ in range(2):
        team.ask()
    run = client.post(f"{team.base}/runs", {"agent_id": "payer", "user_id": "ada"})
    assert run.status == 201
    usage = team.get("/model-usage").json["rows"]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = f"{team.base}/billing/usage/daily?from={today}&to={today}"
    day, = client.get(path).json
    assert day["date"] == today and day["model_calls"] == sum(each["calls"] for each in usage) == 2
    assert day["runs"] == 1 and day["count"] == day["model_calls"] + day["tool_calls"]
    assert day["prompt_tokens"] == sum(each["prompt_tokens"] for each in usage) > 0
    bill = client.get(f"{team.base}/billing").json
    assert bill["actions_used"] == day["count"] and all(bill[name] == day[name] for name in COUNTS)
    before = client.get(path).content
    sluice.stop()
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    sluice.start()
    assert client.get(path).content == before
    team.model.close()


@pytest.mark.parametrize("query, words", [
    ("from=2026-02-30", "from must be a day"), ("to=x", "to must be a day"),
    ("from=2026-02-02&to=2026-02-01", "from must be before to"), ("from=2020-01-01&to=2026-01-01", "400 days")])
def test_days_that_are_none_are_refused(sluice, query, words):
    answer = sluice.client().get("/api/v1/billing/usage/daily?" + query)
    assert answer.status == 400 and words in answer.error


@pytest.mark.parametrize("method, path", [
    ("POST", "setup-intent"), ("POST", "payment-method"), ("POST", "subscribe"), ("POST", "portal"),
    ("GET", "publishable-key")])
def test_what_is_about_payments_says_why_there_are_none(sluice, method, path):
    for base in ("/api", "/api/v1"):
        answer = sluice.client().request(method, f"{base}/billing/{path}", {} if method == "POST" else None)
        assert answer.status == 501 and answer.headers["sluice-error-code"] == "not_offered"
        assert "self-hosted" in answer.error and "GET /billing" in answer.error
