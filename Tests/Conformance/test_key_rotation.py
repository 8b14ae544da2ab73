"""Keys are rotated, and the last admin's key cannot be lost."""

import pytest

from team import Team
from waiting import eventually

KEYS = "/api/v1/auth/api-keys"


@pytest.fixture
def team(sluice):
    return Team(sluice)


def rotate(client, key, body=None, **headers):
    return client.post(f"{KEYS}/{key}/rotate", body, headers=headers or None)


def made(team, role="viewer", **more):
    answer = team.admin.post(KEYS, {"name": "ci", "role": role} | more)
    assert answer.status == 201
    return answer.json["key"]["id"], answer.json["token"]


def works(sluice, token):
    return sluice.client(token).get("/api/v1/agents").status == 200


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
def test_the_old_text_ends_at_once_and_the_key_stays_what_it_was(sluice, team, base):
    key, old = made(team, "approver", groups=["finance"])
    answer = team.admin.post(f"{base}/auth/api-keys/{key}/rotate")
    assert answer.status == 200 and answer.json["header"] == "X-RunAgents-API-Key"
    new = answer.json["token"]
    assert new != old and new.endswith(answer.json["key"]["last4"])
    assert (answer.json["key"]["id"], answer.json["key"]["groups"]) == (key, ["finance"])
    assert works(sluice, new) and not works(sluice, old)
    listed = next(each for each in team.admin.get(KEYS).json if each["id"] == key)
    assert listed.pop("lastUsedAt") and listed == answer.json["key"]
    assert team.log().count("api_key.rotated") == 1


def test_with_a_grace_both_texts_are_good_and_a_restart_or_rebuild_changes_nothing(own_sluice):
    sluice = own_sluice()
    team = Team(sluice)
    key, old = made(team)
    answer = rotate(team.admin, key, {"grace": "1h", "expiresInDays": 7})
    new = answer.json["token"]
    assert answer.json["key"]["previousUntil"] < answer.json["key"]["expiresAt"]
    assert works(sluice, old) and works(sluice, new)
    listed = team.admin.get(KEYS).content
    sluice.stop()
    assert sluice.run("projections", "rebuild", "--data-dir", sluice.data).returncode == 0
    sluice.start()
    assert works(sluice, old) and works(sluice, new) and team.admin.get(KEYS).content == listed
    # Rotated again without a grace, the one before is not good any more, nor the one before that.
    third = rotate(team.admin, key).json["token"]
    assert works(sluice, third) and not works(sluice, new) and not works(sluice, old)
    text = sluice.output.read_text() + sluice.run("log", "cat", "--data-dir", sluice.data).stdout
    assert not any(token in text for token in (old, new, third))


def test_the_old_text_is_good_no_longer_than_its_grace(sluice, team):
    key, old = made(team)
    new = rotate(team.admin, key, {"grace": "1s"}).json["token"]
    eventually(lambda: works(sluice, old), lambda is_good: not is_good)
    assert works(sluice, new)


def test_a_repeated_rotation_rotates_once_and_shows_the_text_once(sluice, team):
    key, _ = made(team)
    first = rotate(team.admin, key, {}, **{"Idempotency-Key": f"rotate-{key}"})
    again = rotate(team.admin, key, {}, **{"Idempotency-Key": f"rotate-{key}"})
    assert works(sluice, first.json["token"])
    assert again.json["key"] == first.json["key"] and again.json["token"] == "shown once, with the first answer"


def test_a_revoked_key_is_gone_also_with_its_grace(sluice, team):
    key, old = made(team)
    new = rotate(team.admin, key, {"grace": "1h"}).json["token"]
    assert team.admin.delete(f"{KEYS}/{key}").status == 200
    assert not works(sluice, old) and not works(sluice, new)
    assert rotate(team.admin, key).status == 404


def test_the_command_line_rotates(sluice, team):
    key, old = made(team)
    admin = sluice.key("admin", team.workspace)
    done = sluice.run("keys", "rotate", key, "--grace", "1h", "--url", sluice.url, SLUICE_API_KEY=admin)
    assert done.returncode == 0, done.stderr
    assert works(sluice, done.stdout.strip()) and works(sluice, old)
    wrong = sluice.run("keys", "rotate", "nothing", "--url", sluice.url, SLUICE_API_KEY=admin)
    assert wrong.returncode == 64 and "keys list" in wrong.stderr


@pytest.mark.parametrize("body, words", [
    ({"expiresInDays": 0}, "expiresInDays"), ({"expiresInDays": "7"}, "expiresInDays"), ({"grace": "soon"}, "grace"),
    ({"grace": 7}, "grace must be a string"), ({"grace": "31d"}, "grace must be 30d at most")])
def test_a_rotation_that_is_wrong_is_refused(team, body, words):
    key, _ = made(team)
    answer = rotate(team.admin, key, body)
    assert answer.status == 400 and words in answer.error


def test_only_admins_of_its_workspace_rotate_a_key(sluice, team):
    key, old = made(team)
    assert rotate(team.operator, key).status == 403
    assert rotate(Team(sluice).admin, key).status == 404
    assert rotate(team.admin, "nothing").status == 404
    assert works(sluice, old)


def test_the_last_admin_key_cannot_be_lost(own_sluice):
    sluice = own_sluice()
    admin = sluice.client()
    configured, = admin.get(KEYS).json
    refused = admin.delete(f"{KEYS}/{configured['id']}")
    assert refused.status == 409 and refused.headers["sluice-error-code"] == "last_admin_key"
    refused = rotate(admin, configured["id"])
    assert refused.status == 409 and "SLUICE_API_KEY" in refused.error
    # One that ends is no replacement; one that stays is.
    made = admin.post(KEYS, {"name": "for a while", "role": "admin", "expiresInDays": 1}).json
    assert admin.delete(f"{KEYS}/{configured['id']}").status == 409
    second = admin.post(KEYS, {"name": "second", "role": "admin"}).json
    assert admin.delete(f"{KEYS}/{configured['id']}").status == 200
    other = sluice.client(second["token"])
    assert rotate(other, second["key"]["id"], {"expiresInDays": 1}).error.startswith("this is the last admin key")
    assert rotate(other, second["key"]["id"]).status == 200
    assert not works(sluice, second["token"]) and works(sluice, made["token"])


def test_another_configured_key_takes_the_place_of_the_last_one(own_sluice):
    sluice = own_sluice()
    sluice.stop()
    sluice.settings = {"SLUICE_API_KEY": "another-admin-key-0123456789"}
    sluice.start()
    assert not works(sluice, "conformance-admin-key-0123456789")
    assert works(sluice, "another-admin-key-0123456789")


def test_the_settings_about_signing_in_can_be_read_and_changed(sluice, team):
    for base in ("/api", "/api/v1", f"/api/v1/workspaces/{team.workspace}"):
        settings = team.viewer.get(f"{base}/settings/auth").json
        assert settings["sessionIdleTimeoutMinutes"] == 60 and settings["apiKeyPrefix"] == "ra_ws_"
        assert settings["apiKeyCount"] == 3 and settings["programmaticHeader"] == "X-RunAgents-API-Key"
        assert settings["oauthCallbackUrl"] == f"{sluice.url}/oauth/callback"
    changed = team.admin.put("/api/v1/settings/auth", {"sessionIdleTimeoutMinutes": 30})
    assert changed.status == 200 and changed.json["sessionIdleTimeoutMinutes"] == 30
    assert team.viewer.get("/api/v1/settings/auth").content == changed.content
    assert team.operator.put("/api/v1/settings/auth", {"sessionIdleTimeoutMinutes": 30}).status == 403
    for body in ({}, {"sessionIdleTimeoutMinutes": 4}, {"sessionIdleTimeoutMinutes": "30"}):
        refused = team.admin.put("/api/v1/settings/auth", body)
        assert refused.status == 400 and "sessionIdleTimeoutMinutes" in refused.error
    assert team.log()[-1] == "settings.stored"
