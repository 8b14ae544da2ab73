"""The command line, as an operator uses it: output, exit codes, messages."""

import json
import os
import pty
import signal
import subprocess

import pytest

from sluice_process import ADMIN_KEY, BINARY, SluiceProcess

USAGE, LOG_UNUSABLE, NOT_FOUND, DIRECTORY_UNUSABLE, IN_USE, CONFIGURATION = 64, 65, 66, 73, 75, 78


@pytest.fixture
def worked(own_sluice):
    """A daemon with a finished lifecycle in its log."""
    sluice = own_sluice()
    api = sluice.client()
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    api.post(f"/runs/{run}/events", {"type": "USER_MESSAGE", "data": {"message": "hi"}})
    action = api.post(f"/runs/{run}/actions", {"tool_id": "t"}).json["action_id"]
    api.post(f"/runs/{run}/actions/{action}/approve")
    api.patch(f"/runs/{run}", {"status": "COMPLETED"})
    api.post("/runs", {"agent_id": "b", "user_id": "u"})
    sluice.finished_run = run
    return sluice


def lines(ended):
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_version_is_shown_as_text_and_json(sluice):
    assert sluice.run("version").stdout.startswith("sluice ")
    [shown] = lines(sluice.run("version", "--json"))
    assert shown["version"] == sluice.client().get("/healthz").json["version"]


def test_help_names_every_command_and_exit_code(sluice):
    shown = sluice.run("--help").stdout
    for word in ("serve", "keys", "log", "replay", "projections", "version", "75", "78"):
        assert word in shown


def test_flags_win_over_the_environment_and_that_over_the_file(sluice, tmp_path):
    file = tmp_path / "sluice.json"
    file.write_text(json.dumps({"listen": "127.0.0.1:1", "heartbeat": "3s", "run-timeout": "2h"}))
    ended = sluice.run("serve", "--config", file, "--listen", "127.0.0.1:3", "--print-config", "--json",
                       SLUICE_LISTEN="127.0.0.1:2", SLUICE_HEARTBEAT="4s")
    shown = {each["key"]: each for each in lines(ended)}
    assert (shown["listen"]["value"], shown["listen"]["source"]) == ("127.0.0.1:3", "flag")
    assert (shown["heartbeat"]["value"], shown["heartbeat"]["source"]) == ("4s", "environment")
    assert (shown["run-timeout"]["value"], shown["run-timeout"]["source"]) == ("2h", "file")
    assert shown["agent-concurrency"]["source"] == "default"
    assert ADMIN_KEY not in ended.stdout, "a secret is not shown"


@pytest.mark.parametrize("setting, value", [
    ("SLUICE_LISTEN", "nonsense"), ("SLUICE_LISTEN", "127.0.0.1:99999"), ("SLUICE_HEARTBEAT", "soon"),
    ("SLUICE_AGENT_CONCURRENCY", "0"), ("SLUICE_LOG_LEVEL", "loud"), ("SLUICE_API_KEY", "short")])
def test_a_wrong_setting_stops_the_start_and_is_named(sluice, tmp_path, setting, value):
    ended = sluice.run("serve", "--data-dir", tmp_path / "data", **{setting: value})
    assert ended.returncode == CONFIGURATION
    assert setting.removeprefix("SLUICE_").lower().replace("_", "-") in ended.stderr.lower().replace("_", "-")


def test_a_config_file_that_cannot_be_read_is_named(sluice, tmp_path):
    missing = sluice.run("serve", "--config", tmp_path / "nothing.json", "--print-config")
    assert missing.returncode == CONFIGURATION and "nothing.json" in missing.stderr
    unknown = tmp_path / "unknown.json"
    unknown.write_text('{"listne": "127.0.0.1:1"}')
    refused = sluice.run("serve", "--config", unknown, "--print-config")
    assert refused.returncode == CONFIGURATION and "listne" in refused.stderr


def test_a_config_file_has_values_of_their_natural_types(sluice, tmp_path):
    file = tmp_path / "typed.json"
    file.write_text(json.dumps({"rate-limit": 5, "self-approval": True, "agent-concurrency": "3", "heartbeat": "3s"}))
    shown = {each["key"]: each for each in lines(sluice.run("serve", "--config", file, "--print-config", "--json"))}
    for key, value in (("rate-limit", "5"), ("self-approval", "true"), ("agent-concurrency", "3"), ("heartbeat", "3s")):
        assert (shown[key]["value"], shown[key]["source"]) == (value, "file")


@pytest.mark.parametrize("setting, value, expected", [
    ("rate-limit", True, "a number, such as 0"), ("rate-limit", None, "a number"), ("rate-limit", [5], "a number"),
    ("self-approval", 1, "true or false"), ("heartbeat", 3, 'a string, such as "15s"'), ("listen", {}, "a string"),
    ("rate-limit", 1.5, "rate-limit must be a number")])
def test_a_value_of_another_type_is_an_error_that_names_setting_and_file(sluice, tmp_path, setting, value, expected):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({setting: value}))
    ended = sluice.run("serve", "--config", file, "--data-dir", tmp_path / "data")
    assert ended.returncode == CONFIGURATION
    assert setting in ended.stderr and expected in ended.stderr and "file" in ended.stderr, ended.stderr


def test_a_second_daemon_on_the_same_directory_is_refused(worked):
    second = worked.run("serve", "--data-dir", worked.data, "--listen", "127.0.0.1:0")
    assert second.returncode == IN_USE and str(worked.data) in second.stderr
    assert worked.client().get("/readyz").status == 200


def test_an_address_in_use_is_named(worked, tmp_path):
    ended = worked.run("serve", "--data-dir", tmp_path / "other", "--listen", f"127.0.0.1:{worked.port}")
    assert ended.returncode not in (0, -signal.SIGKILL) and str(worked.port) in ended.stderr


def test_sigterm_stops_cleanly_with_requests_and_streams_open(worked):
    api = worked.client()
    connection = subprocess.Popen(
        ["curl", "-sN", "-H", f"Authorization: Bearer {ADMIN_KEY}", f"{worked.url}/events/stream?after_seq=0"],
        stdout=subprocess.PIPE)
    assert connection.stdout.read(5)
    api.get("/runs")
    assert worked.stop() == 0
    connection.stdout.read()
    assert connection.wait(timeout=10) in (0, 18)


def test_every_sigterm_ends_with_zero_and_a_log_that_was_closed_in_order(own_sluice):
    sluice = own_sluice()
    for _ in range(25):
        # An unfinished run keeps a deadline pending, so that the scheduler has something to be woken from.
        assert sluice.client().post("/runs", {"agent_id": "a", "user_id": "u"}).status == 201
        assert sluice.stop() == 0, sluice.output.read_text()
        assert (sluice.data / "log" / "CLEAN").exists()
        sluice.start()


def test_log_verify_counts_what_is_there_and_finds_damage(worked):
    [report] = lines(worked.run("log", "verify", "--data-dir", worked.data, "--json"))
    assert report["problems"] == [] and len(report["root_hash"]) == 64
    assert report["records"] == worked.client().get("/readyz").json["position"]
    [stats] = lines(worked.run("log", "stats", "--data-dir", worked.data, "--json"))
    assert stats["records"] == report["records"] and stats["segments"] == 1
    worked.stop()
    [segment] = (worked.data / "log").glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[4096 + 40] ^= 4
    segment.write_bytes(content)
    damaged = worked.run("log", "verify", "--data-dir", worked.data)
    assert damaged.returncode == 1 and segment.name in damaged.stdout and "offset 4096" in damaged.stdout
    refused = worked.run("serve", "--data-dir", worked.data, "--listen", "127.0.0.1:0")
    assert refused.returncode == LOG_UNUSABLE and segment.name in refused.stderr


@pytest.mark.parametrize("command", [("log", "verify"), ("projections", "rebuild")])
def test_long_work_shows_its_progress_on_a_terminal_and_only_there(worked, command):
    worked.stop()
    arguments = [*command, "--data-dir", worked.data]
    assert worked.run(*arguments).stderr == ""
    watching, terminal = pty.openpty()
    try:
        subprocess.run([BINARY, *arguments], stdout=subprocess.DEVNULL, stderr=terminal, check=True)
        assert b"100 %" in os.read(watching, 65536)
    finally:
        os.close(watching)
        os.close(terminal)


def test_log_cat_prints_each_event_from_a_position(worked):
    events = lines(worked.run("log", "cat", "--data-dir", worked.data))
    assert [each["position"] for each in events] == list(range(1, len(events) + 1))
    assert lines(worked.run("log", "cat", "--data-dir", worked.data, "--from", "3", "--limit", "2")) == events[2:4]


def test_replay_shows_a_run_and_what_was_unfinished(worked):
    events = lines(worked.run("replay", "--data-dir", worked.data, "--run", worked.finished_run))
    assert {each["run_id"] for each in events} == {worked.finished_run}
    assert [each["timeline_type"] for each in events if "timeline_type" in each] == [
        "USER_MESSAGE", "APPROVAL_REQUIRED", "APPROVED"]
    [at_start] = lines(worked.run("replay", "--data-dir", worked.data, "--until", "3"))
    assert [each["id"] for each in at_start["unfinished_runs"]] == [worked.finished_run]
    [at_end] = lines(worked.run("replay", "--data-dir", worked.data, "--until", "2100-01-01T00:00:00Z"))
    assert [each["agent_id"] for each in at_end["unfinished_runs"]] == ["b"]
    [never] = lines(worked.run("replay", "--data-dir", worked.data, "--until", "2000-01-01T00:00:00Z"))
    assert never["position"] == 0
    missing = worked.run("replay", "--data-dir", worked.data, "--run", "01a20b58-0000-7000-8000-000000000000")
    assert missing.returncode == NOT_FOUND


@pytest.mark.parametrize("arguments", [["replay"], ["replay", "--run", "x"], ["serve", "--no-such"], ["nonsense"]])
def test_wrong_usage_is_64(sluice, arguments):
    assert sluice.run(*arguments).returncode == USAGE


def test_projections_rebuild_answers_every_read_as_before(worked):
    api = worked.client()
    paths = ["/runs?agent_id=a", f"/runs/{worked.finished_run}", f"/runs/{worked.finished_run}/events",
             f"/runs/{worked.finished_run}/actions", "/api/agents", "/api/v1/auth/api-keys"]
    before = {path: api.get(path).content for path in paths}
    refused = worked.run("projections", "rebuild", "--data-dir", worked.data)
    assert refused.returncode == IN_USE
    worked.stop()
    assert worked.run("projections", "rebuild", "--data-dir", worked.data).returncode == 0
    worked.start()
    assert {path: api.get(path).content for path in paths} == before


def test_read_models_of_an_older_schema_or_none_are_made_anew_at_the_start(worked):
    api = worked.client()
    before = api.get(f"/runs/{worked.finished_run}").content
    worked.stop()
    for file in worked.data.glob("*.sqlite*"):
        file.unlink()
    worked.start()
    assert api.get(f"/runs/{worked.finished_run}").content == before


def test_a_directory_that_holds_no_log_is_named(sluice, tmp_path):
    for command in (["log", "verify"], ["log", "cat"], ["projections", "rebuild"], ["replay", "--until", "1"]):
        ended = sluice.run(*command, "--data-dir", tmp_path / "nothing")
        assert ended.returncode == NOT_FOUND and "nothing" in ended.stderr, command
    (tmp_path / "file").write_text("x")
    ended = sluice.run("serve", "--data-dir", tmp_path / "file")
    assert ended.returncode == DIRECTORY_UNUSABLE


def test_a_foreign_file_among_the_segments_stops_the_start(worked):
    worked.stop()
    (worked.data / "log" / "notes.txt").write_text("mine")
    ended = worked.run("serve", "--data-dir", worked.data)
    assert ended.returncode == LOG_UNUSABLE and "notes.txt" in ended.stderr


def test_a_newer_format_asks_for_an_upgrade(worked):
    worked.stop()
    [segment] = (worked.data / "log").glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[8] = 3
    segment.write_bytes(content)
    ended = worked.run("serve", "--data-dir", worked.data)
    assert ended.returncode == LOG_UNUSABLE and "upgrade" in ended.stderr


def test_keys_are_made_listed_and_revoked_through_the_running_daemon(worked):
    def keys(*arguments):
        return worked.run("keys", *arguments, "--url", worked.url)

    [made] = lines(keys("create", "--name", "ci", "--role", "viewer", "--json"))
    assert worked.client(made["token"]).get("/runs").status == 200
    listed = lines(keys("list", "--json"))
    used = next(each for each in listed if each["id"] == made["key"]["id"])
    assert used.pop("lastUsedAt") and used == made["key"] and made["token"] not in json.dumps(listed)
    assert keys("revoke", made["key"]["id"]).returncode == 0
    assert worked.client(made["token"]).get("/runs").status == 401
    missing = keys("revoke", made["key"]["id"])
    assert missing.returncode == NOT_FOUND and "not found" in missing.stderr
    assert keys("create", "--name", "x", "--role", "king").returncode == USAGE
    refused = worked.run("keys", "list", "--url", worked.url, SLUICE_API_KEY="not-the-admins-key")
    assert refused.returncode == 77 and "API key" in refused.stderr
    away = worked.run("keys", "list", "--url", "http://127.0.0.1:1")
    assert away.returncode == 69 and "127.0.0.1:1" in away.stderr
