"""Limits hold for keys, users and models, within the cost of one call however many are made at once."""

import concurrent.futures
import datetime
import threading

import pytest

from metered_team import ASK, MeteredTeam, make_team, team  # noqa: F401 - fixtures
from scripted_model import words
from sluice_process import SluiceProcess
from waiting import until_true

CALL = {"requests": 1, "tokens": 12, "cost_usd": 0.0057}
"""What one call of a `MeteredTeam` uses."""


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("limits")).start()
    yield process
    assert process.stop() == 0


def limit(team, name="l", **spec):
    answer = team.api.put(f"{team.base}/model-limits/{name.replace(' ', '%20')}", {"spec": spec})
    assert answer.status == 200, answer
    return answer.json


def ask(team, user=None, key=None, **more):
    headers = {"X-End-User-ID": user} if user else {}
    return team.sluice.client(key or team.key, **headers).post(
        team.base + "/chat/completions", {"model": team.model_name, "messages": ASK, "max_tokens": 5} | more)


def seconds_left(window):
    now = datetime.datetime.now(datetime.timezone.utc)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = {"minute": now.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1),
           "day": start + datetime.timedelta(days=1),
           "month": (start.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)}[window]
    return (end - now).total_seconds()


def within_one(window, attempt):
    """Repeats what a turn of the window has cut in two."""
    while True:
        began = seconds_left(window)
        result = attempt()
        if seconds_left(window) <= began:
            return result


@pytest.mark.parametrize("window", ["minute", "day", "month"])
@pytest.mark.parametrize("measure", ["requests", "tokens", "cost_usd"])
def test_an_amount_stops_the_next_call_until_its_window_ends(make_team, measure, window):
    def attempt():
        team = make_team()
        # Two calls are below it, or reach it with the second.
        limit(team, subject={"user": "ada"}, **{measure: {window: CALL[measure] * 2}})
        return team, [ask(team, "ada") for _ in range(3)]
    team, answers = within_one(window, attempt)
    assert [answer.status for answer in answers[:2]] == [200, 200], answers
    refused = answers[2]
    assert team.model.calls.qsize() == 2 and "limit l" in refused.json["error"] and 'user "ada"' in refused.json["error"]
    if measure == "cost_usd" and window != "minute":
        assert (refused.status, refused.json["code"], refused.json["spent_usd"]) == (402, "BUDGET_REACHED", 0.0114)
        assert team.events()[-1]["type"] == "model_call.refused"
    else:
        assert (refused.status, refused.json["code"]) == (429, "RATE_LIMITED")
        left = seconds_left(window)
        assert left - 1 <= int(refused.headers["retry-after"]) <= left + 60
        assert team.events()[-1]["type"] == "model_call.made", "refusals that pass by themselves are not recorded"
    assert ask(team, "bob").status == 200 and ask(team).status == 200


def test_each_name_that_a_pattern_matches_is_counted_by_itself(team):
    limit(team, subject={"user": "u-*"}, requests={"day": 1})
    assert [ask(team, user).status for user in ("u-1", "u-2", "u-1", "u-3", "other", "other")] == [
        200, 200, 429, 200, 200, 200]


def test_a_key_is_limited_whatever_users_it_names(team):
    limit(team, subject={"key": "payer"}, requests={"month": 2})
    assert [ask(team, f"user-{number}").status for number in range(3)] == [200, 200, 429]
    assert ask(team, key=team.sluice.key("operator", team.workspace)).status == 200


def test_a_model_is_limited_for_all_together(team):
    limit(team, subject={"model": team.model_name}, tokens={"day": 20})
    other = team.sluice.key("operator", team.workspace)
    assert [ask(team).status, ask(team, "ada", other).status, ask(team).status, ask(team, key=other).status] == [
        200, 200, 429, 429]
    answer = team.sluice.client(team.key).post(f"{team.base}/messages", {
        "model": team.model_name, "messages": ASK, "max_tokens": 5})
    assert (answer.status, answer.json["type"], answer.json["error"]["type"]) == (429, "error", "rate_limit_error")


def test_every_limit_has_to_leave_room(team):
    limit(team, "wide", subject={"model": "*"}, requests={"day": 100})
    limit(team, "narrow", subject={"key": "*"}, requests={"day": 1})
    assert ask(team).status == 200
    assert "limit narrow" in ask(team).json["error"]


def test_what_was_used_before_counts_and_a_changed_limit_holds_at_once(team):
    assert ask(team).status == 200
    limit(team, subject={"key": "payer"}, requests={"day": 1})
    assert ask(team).status == 429
    limit(team, subject={"key": "payer"}, requests={"day": 2})
    assert [ask(team).status, ask(team).status] == [200, 429]
    assert team.api.delete(f"{team.base}/model-limits/l").status == 200
    assert ask(team).status == 200


def test_days_and_months_outlive_a_restart_and_a_rebuild(own_sluice):
    sluice = own_sluice()
    team = MeteredTeam(sluice)
    try:
        limit(team, "day", subject={"user": "*"}, requests={"day": 2})
        limit(team, "month", subject={"model": "*"}, cost_usd={"month": 3 * 0.0057})
        assert [ask(team, "ada").status for _ in range(3)] == [200, 200, 429]
        sluice.restart()
        assert [ask(team, "ada").status, ask(team, "bob").status, ask(team, "cyd").status] == [429, 200, 402]
        assert sluice.stop() == 0
        assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
        sluice.start()
        assert [ask(team, "ada").status, ask(team, "cyd").status] == [429, 402]
    finally:
        team.model.close()


def test_a_new_day_has_its_amounts_again(faulty):
    team = MeteredTeam(faulty())
    try:
        limit(team, subject={"user": "*"}, requests={"day": 1})
        assert [ask(team, "ada").status, ask(team, "ada").status] == [200, 429]
        team.sluice.set_clock_ahead(86_400)
        assert [ask(team, "ada").status, ask(team, "ada").status] == [200, 429]
    finally:
        team.model.close()


def at_once(team, count, let_through, **more):
    """Makes calls at the same time, all of which the model holds until the others are refused."""
    go = threading.Event()

    def say(body):
        assert go.wait(60)
        return words("hello")
    team.model.say = say
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(ask, team, "ada", **more) for _ in range(count)]
        try:
            until_true(lambda: sum(call.done() for call in calls) >= count - let_through)
            until_true(lambda: team.model.calls.qsize() >= let_through)
            refused = [call.result() for call in calls if call.done()]
        finally:
            go.set()
        answers = [call.result() for call in calls]
    team.model.say = lambda body: words("hello")
    return answers, refused


# A call reserves 22 tokens for "a question", and 5 for the answer: 27 tokens, 0.0072 USD.
@pytest.mark.parametrize("spec, let_through", [
    ({"requests": {"day": 3}}, 3), ({"requests": {"minute": 3}}, 3), ({"tokens": {"day": 30}}, 2),
    ({"tokens": {"minute": 30}}, 2), ({"cost_usd": {"month": 0.02}}, 3)])
def test_calls_at_once_pass_a_limit_by_one_of_them_at_most(make_team, spec, let_through):
    def attempt():
        team = make_team()
        limit(team, subject={"user": "*"}, **spec)
        return team, *at_once(team, 12, let_through)
    team, answers, refused = within_one("minute", attempt)
    assert sorted(answer.status for answer in answers) == [200] * let_through + [429] * (12 - let_through)
    assert team.model.calls.qsize() == let_through
    if "requests" not in spec:
        assert all(answer.headers["retry-after"] == "1" and "in flight" in answer.json["error"] for answer in refused)
        (measure, amounts), = spec.items()
        assert let_through * CALL[measure] - CALL[measure] < amounts.popitem()[1]
    assert ask(team, "bob").status == 200, "the room of one is not another's"


def test_calls_at_once_pass_a_budget_by_one_of_them_at_most(make_team):
    team = make_team(monthly_budget_usd=0.02)
    answers, refused = at_once(team, 12, 3)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 9
    assert all(answer.headers["retry-after"] == "1" and "0.02 USD" in answer.json["error"] for answer in refused)
    assert team.usage()["payer"]["cost_usd"] == pytest.approx(3 * 0.0057)
    assert [ask(team).status, ask(team).status] == [200, 402], "one call more reaches it"


# Without a limit of its own that its service heeds, a call reserves 4,096 tokens for its answer: 4.1 USD.
@pytest.mark.parametrize("more", [
    {"max_tokens": None, "max_output_tokens": 1}, {"max_tokens": 0}, {"max_completion_tokens": 1, "max_tokens": 4000},
    {"max_tokens": "4000"}, {"max_tokens": 4000.0}, {"max_tokens": 500, "n": "9"}])
def test_no_form_of_a_request_reserves_less_than_its_answer_may_cost(make_team, more):
    team = make_team(monthly_budget_usd=1)
    answers, _ = at_once(team, 4, 1, **more)
    assert sorted(answer.status for answer in answers) == [200] + [429] * 3


def test_texts_in_members_that_are_not_known_reserve_room_too(make_team):
    team = make_team(monthly_budget_usd=1)
    answers, _ = at_once(team, 4, 1, documents=[{"text": "word " * 40_000}])
    assert sorted(answer.status for answer in answers) == [200] + [429] * 3


@pytest.mark.parametrize("fault", ["refused", "left"])
def test_a_call_that_ends_in_any_way_gives_its_room_back(team, fault):
    # Each call reserves 90 USD.
    limit(team, subject={"user": "*"}, cost_usd={"day": 100})
    if fault == "refused":
        team.model.say = lambda body: (400, {"error": {"message": "no"}})
        for _ in range(10):
            assert ask(team, "ada", max_tokens=90_000).status == 400
    else:
        team.model.say = lambda body: words("one two " + "x" * 300_000)
        stream = team.ask({"X-End-User-ID": "ada"}, max_tokens=90_000, stream=True, extra_body={"hold": True})
        next(iter(stream))
        assert ask(team, "ada").status == 200, "90 of 100 USD leave room for another"
        assert ask(team, "ada", max_tokens=20_000).status == 200
        stream.close()
        team.model.go_on.release(3)
        until_true(lambda: team.usage("user")["ada"]["calls"] == 3)
    team.model.say = lambda body: words("hello")
    answers, _ = at_once(team, 2, 2, max_tokens=10_000)
    assert [answer.status for answer in answers] == [200, 200], answers


@pytest.mark.parametrize("window", ["minute", "day"])
def test_a_call_that_was_not_sent_counts_for_nothing(make_team, window):
    def attempt():
        team = make_team()
        team.provide("q", provider="anthropic", models=["e"], prices=None)
        limit(team, subject={"user": "*"}, requests={window: 1})
        client = team.sluice.client(team.key, **{"X-End-User-ID": "ada"})
        unsent = [client.post(team.base + "/embeddings", {"model": "e", "input": "x"}).status for _ in range(3)]
        return unsent + [ask(team, "ada").status for _ in range(2)]
    assert within_one(window, attempt) == [400, 400, 400, 200, 429]


def test_a_limit_is_kept_by_its_name(team):
    spec = {"subject": {"user": "a*"}, "requests": {"minute": 5}, "cost_usd": {"day": 1.5}}
    made = limit(team, "each user", **spec)
    assert (made["name"], made["spec"]) == ("each user", spec)
    assert team.get("/model-limits").json == [team.get("/model-limits/each%20user").json]
    viewer = team.sluice.client(team.sluice.key("viewer", team.workspace))
    assert viewer.get(team.base + "/model-limits").json[0]["name"] == "each user"
    assert viewer.put(team.base + "/model-limits/x", {"spec": spec}).status == 403
    assert viewer.delete(team.base + "/model-limits/each%20user").status == 403
    own = team.sluice.client(team.key)
    assert own.put(team.base + "/model-limits/each%20user", {"spec": spec}).status == 403
    assert team.api.delete(f"{team.base}/model-limits/each%20user").json["status"] == "deleted"
    for method in ("get", "delete"):
        answer = getattr(team.api, method)(f"{team.base}/model-limits/each%20user")
        assert answer.status == 404 and 'model limit "each user" not found' in answer.error
    assert team.get("/model-limits").json == []


@pytest.mark.parametrize("body, says", [
    ({}, "spec is required"), ({"spec": {"subject": {"user": "a"}}}, "spec must have requests, tokens or cost_usd"),
    ({"spec": {"subject": {"agent": "a"}, "requests": {"day": 1}}}, "spec.subject must be an object with one of key"),
    ({"spec": {"subject": {"user": "a"}, "requests": {"hour": 1}}}, "spec.requests must not have hour"),
    ({"name": "other", "spec": {"subject": {"user": "a"}, "requests": {"day": 1}}}, "name must be that of the path")])
def test_a_limit_that_is_none_is_refused(team, body, says):
    answer = team.api.put(f"{team.base}/model-limits/l", body)
    assert answer.status == 400 and says in answer.error, answer


def test_a_limit_of_another_workspace_holds_for_nothing_here(team, make_team):
    limit(team, subject={"model": "*"}, requests={"day": 0})
    assert ask(team).status == 429 and ask(make_team()).status == 200
