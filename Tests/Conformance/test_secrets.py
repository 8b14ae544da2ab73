"""Secrets come in, are used, and are seen nowhere; what is deleted cannot be opened any more."""

import base64
import hashlib
import http.client
import json
import os
import stat
import subprocess
import threading

import pytest

from read_log import fields, records
from sluice_process import BINARY

PLANTED = {name: f"planted-{name}-{hashlib.sha256(name.encode()).hexdigest()[:24]}" for name in (
    "api_key", "client_id", "client_secret", "inline", "provider", "env", "url", "rotated", "cli", "deploy_tool", "marked")}
STORED, DELETED = 61, 62


def plant(api):
    """Every way in that a secret has; the answers."""
    connection = {"baseUrl": "https://api.stripe.test", "authentication": {"type": "APIKey", "apiKeyConfig": {
        "in": "Header", "name": "X-Key", "valuePrefix": "Key "}}}
    inline = json.loads(json.dumps(connection))
    inline["authentication"]["apiKeyConfig"]["apiKey"] = PLANTED["inline"]
    answers = [
        api.post("/api/v1/tools", {"name": "documented", "spec": {"connection": connection}, "credentials": {
            "api_key": PLANTED["api_key"]}}, {"Idempotency-Key": "documented"}),
        api.post("/api/tools", {"name": "flat", "base_url": "https://x.test", "auth_type": "OAuth2", "credentials": {
            "client_id": PLANTED["client_id"], "client_secret": PLANTED["client_secret"]}}),
        api.post("/api/v1/tools", {"name": "inline", "spec": {"connection": inline}}),
        api.post("/api/v1/model-providers", {"name": "llm", "spec": {
            "provider": "openai", "auth": {"type": "APIKey", "apiKey": PLANTED["provider"]}}}),
        api.post("/api/v1/deploy", {
            "agent_name": "agent", "image": "i", "env": [
                {"name": "PLAIN", "value": "shown"}, {"name": "DB_PASSWORD", "value": PLANTED["env"]},
                {"name": "DATABASE_URL", "value": f"postgres://u:{PLANTED['url']}@db.test/x"},
                {"name": "MARKED", "value": PLANTED["marked"], "secret": True}],
            "tools_to_create": [{"name": "deployed", "base_url": "https://d.test", "credentials": {
                "api_key": PLANTED["deploy_tool"]}}]}, {"Idempotency-Key": "deploy"}),
        api.post("/api/v1/secrets", {
            "owner_kind": "tool", "owner": "documented", "name": "rotated", "value": PLANTED["rotated"]}),
    ]
    assert all(answer.status == 201 for answer in answers), answers
    return answers


def everything(api):
    """Every route that shows what was stored, and requests that fail with a secret in them."""
    paths = [base + path for base in ("/api", "/api/v1") for path in (
        "/tools", "/tools/documented", "/tools/flat", "/tools/inline", "/tools/deployed", "/agents", "/agents/agent",
        "/model-providers", "/model-providers/llm", "/secrets", "/policies")] + ["/metrics", "/readyz", "/healthz"]
    answers = [api.get(path) for path in paths]
    assert all(answer.status == 200 for answer in answers), answers
    wrong = [
        ("/api/v1/tools", {"name": "x", "base_url": "nowhere", "credentials": {"api_key": PLANTED["api_key"]}}),
        ("/api/v1/tools", {"name": "x", "base_url": "https://x.test", "credentials": {"other": PLANTED["api_key"]}}),
        ("/api/v1/tools", {"name": "a/b", "base_url": "https://x.test", "credentials": {"api_key": PLANTED["api_key"]}}),
        ("/api/v1/tools", {"name": "x", "spec": {"connection": {"baseUrl": "https://x.test", "authentication": {
            "signing_secret": PLANTED["inline"]}}}}),
        ("/api/v1/deploy", {"agent_name": "x", "image": "i", "llm_config": {"api_key": PLANTED["provider"]}}),
        ("/api/v1/deploy", {"agent_name": "a/b", "image": "i", "env": [{"name": "KEY", "value": PLANTED["env"]}]}),
        ("/api/v1/secrets", {"owner_kind": "tool", "owner": "nobody", "name": "n", "value": PLANTED["rotated"]}),
        ("/api/v1/secrets", {"owner_kind": "policy", "owner": "p", "name": "n", "value": PLANTED["rotated"]}),
    ]
    refused = [api.post(path, body) for path, body in wrong]
    assert all(400 <= answer.status < 500 for answer in refused), refused
    return answers + refused


def forms(secret):
    """How a secret could stand in a file or answer: as it is, in hex, in base64 of any offset, as a plain digest."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), hashlib.sha256(raw).hexdigest().encode(), hashlib.sha256(raw).digest()[:16]}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        found.add(encoded[4 if offset else 0:-4])
    return found


def assert_nowhere(haystacks):
    for name, haystack in haystacks:
        for planted, secret in PLANTED.items():
            for form in forms(secret):
                assert form not in haystack, f"the secret {planted} is in {name}"


def files(process, *without):
    return [(str(path), path.read_bytes()) for path in process.data.rglob("*") if path.is_file() and path.name not in without]


def payloads(process, number):
    """The secrets' events, by the reader that knows nothing of Sluice's code."""
    found = []
    for segment in sorted((process.data / "log").glob("*.seg")):
        found += [fields(fields(record)[number]) for _, record in records(segment) if number in fields(record)]
    return found


def log_bytes(process):
    return b"".join(record for segment in sorted((process.data / "log").glob("*.seg")) for _, record in records(segment))


def test_a_planted_secret_is_nowhere_but_sealed(own_sluice):
    process = own_sluice(SLUICE_LOG_LEVEL="trace")
    api = process.client()
    answers = plant(api) + plant(api) + everything(api)
    listed = process.run("secrets", "list", "--json", "--url", process.url)
    stream = subprocess.run(
        ["timeout", "2", BINARY, "log", "cat", "--data-dir", process.data], capture_output=True)
    seen = [(str(answer), answer.content + str(answer.headers).encode()) for answer in answers]
    shown = [("secrets list", (listed.stdout + listed.stderr).encode()), ("log cat", stream.stdout + stream.stderr)]
    # At a kill the read model's write-ahead log is as it was; after a stop there is a snapshot of the writer's memory.
    process.kill()
    assert_nowhere(seen + shown + files(process) + [("the log", log_bytes(process))])
    process.start()
    assert_nowhere([(str(answer), answer.content) for answer in everything(process.client())])
    assert process.stop() == 0
    assert (process.data / "snapshots").exists()
    assert_nowhere(files(process) + [("the log", log_bytes(process))])
    assert len(payloads(process, STORED)) == 15, "both plantings are in the log, but for what was answered as before"


def test_the_search_would_find_a_secret(own_sluice):
    """What is in clear text on purpose is found in the log by the same search."""
    process = own_sluice()
    process.client().post("/runs", {"agent_id": PLANTED["api_key"], "user_id": "u"})
    with pytest.raises(AssertionError, match="the secret api_key is in the log"):
        assert_nowhere([("the log", log_bytes(process))])


def test_answers_say_which_secrets_are_set(own_sluice):
    api = own_sluice().client()
    plant(api)
    assert api.get("/api/v1/tools/documented").json["secrets_set"] == ["api_key", "rotated"]
    assert api.get("/api/v1/tools/flat").json["secrets_set"] == ["client_id", "client_secret"]
    assert api.get("/api/v1/tools/inline").json["secrets_set"] == ["api_key"]
    assert api.get("/api/v1/model-providers/llm").json["secrets_set"] == ["api_key"]
    tools = {tool["name"]: tool.get("secrets_set") for tool in api.get("/api/tools").json}
    assert tools["deployed"] == ["api_key"]
    agent = api.get("/api/v1/agents/agent").json
    assert agent["secrets_set"] == ["DATABASE_URL", "DB_PASSWORD", "MARKED"]
    assert {variable["name"]: variable["value"] for variable in agent["spec"]["env"]} == {
        "PLAIN": "shown", "DB_PASSWORD": "", "DATABASE_URL": "", "MARKED": ""}
    configuration = api.get("/api/v1/tools/inline").json["spec"]["connection"]["authentication"]["apiKeyConfig"]
    assert configuration == {"in": "Header", "name": "X-Key", "valuePrefix": "Key "}


def test_a_redeploy_keeps_what_it_names_and_drops_the_rest(own_sluice):
    process = own_sluice()
    api = process.client()
    plant(api)
    environment = api.get("/api/v1/agents/agent").json["spec"]["env"]
    kept = [variable for variable in environment if variable["name"] != "MARKED"]
    assert api.post("/api/v1/deploy", {"agent_name": "agent", "image": "i2", "env": kept}).status == 201
    assert api.get("/api/v1/agents/agent").json["secrets_set"] == ["DATABASE_URL", "DB_PASSWORD"]
    # A tool that is registered again without credentials keeps its own.
    assert api.post("/api/v1/tools", {"name": "flat", "base_url": "https://x.test/v2"}).status == 201
    refused = api.post("/api/v1/tools", {"name": "flat", "base_url": "https://y.test"})
    assert refused.status == 400 and "credentials.client_secret" in refused.error
    assert api.get("/api/v1/tools/flat").json["secrets_set"] == ["client_id", "client_secret"]


def keyring_ids(process):
    data = (process.data / "keyring").read_bytes()
    slots = [data[at:at + 256] for at in range(256, len(data), 256)]
    return [slot[1:1 + slot[0]].decode() for slot in slots if any(slot)]


def secret_keys(process):
    return sorted(name for name in keyring_ids(process) if name.startswith("secret/"))


def key_name(event, field=4):
    text = event[field].hex()
    return "secret/" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def test_a_deleted_secret_has_no_key_when_the_client_is_told(own_sluice):
    process = own_sluice()
    api = process.client()
    plant(api)
    before = secret_keys(process)
    assert len(before) == 10
    assert api.delete("/api/v1/secrets/tool/documented/rotated").status == 200
    assert api.delete("/api/v1/tools/flat").status == 200
    gone = {key_name(event) for event in payloads(process, DELETED)}
    assert len(gone) == 3 and secret_keys(process) == sorted(set(before) - gone)
    assert api.delete("/api/v1/secrets/tool/documented/rotated").status == 404
    assert [secret["owner"] for secret in api.get("/api/v1/secrets").json].count("flat") == 0
    # The one that replaces another takes its key away too.
    assert api.post("/api/v1/tools", {"name": "inline", "base_url": "https://x.test", "credentials": {
        "api_key": "another"}}).status == 201
    replaced = [event for event in payloads(process, STORED) if 6 in event]
    assert len(replaced) == 1 and key_name(replaced[0], 6) not in secret_keys(process)
    assert key_name(replaced[0]) in secret_keys(process)


def test_a_refused_or_repeated_command_leaves_no_key(own_sluice):
    process = own_sluice()
    api = process.client()
    everything_before = secret_keys(process)
    refused = api.post("/api/v1/tools", {"name": "a/b", "base_url": "https://x.test", "credentials": {"api_key": "s"}})
    assert refused.status == 400 and secret_keys(process) == everything_before
    body = {"name": "t", "base_url": "https://x.test", "credentials": {"api_key": "s"}}
    answers = [api.post("/api/v1/tools", body, {"Idempotency-Key": "k"}) for _ in range(3)]
    assert {answer.status for answer in answers} == {201} and len(secret_keys(process)) == 1
    other = body | {"credentials": {"api_key": "other"}}
    assert api.post("/api/v1/tools", other, {"Idempotency-Key": "k"}).status == 422
    assert len(secret_keys(process)) == 1


def test_a_key_that_a_crash_has_left_is_destroyed_at_the_next_start(own_sluice):
    process = own_sluice()
    api = process.client()
    plant(api)
    files = [process.data / name for name in ("keyring", "keyring.second")]
    saved = [file.read_bytes() for file in files]
    assert api.delete("/api/v1/tools/flat").status == 200
    remaining = secret_keys(process)
    process.kill()
    # As if the kill had come between the log and the keyring.
    for file, content in zip(files, saved):
        file.write_bytes(content)
    assert secret_keys(process) != remaining
    process.start()
    assert secret_keys(process) == remaining
    assert len(process.client().get("/api/v1/secrets").json) == 8


def store_on_and_on(api, attempt, ended):
    """Stores, replaces and deletes secrets until the daemon is gone."""
    for number in range(10_000):
        if ended.is_set():
            return
        name = f"t{number % 5}"
        try:
            if number % 4 == 3:
                api.delete(f"/api/v1/tools/{name}")
            else:
                api.post("/api/v1/tools", {"name": name, "base_url": "https://x.test", "credentials": {
                    "api_key": f"{attempt}-{number}"}})
        except OSError:
            pass
        except http.client.HTTPException:
            pass


def test_kills_in_the_middle_leave_a_key_for_each_secret_and_no_other(own_sluice):
    process = own_sluice()
    for attempt in range(5):
        api = process.client()
        ended = threading.Event()
        thread = threading.Thread(target=store_on_and_on, args=(api, attempt, ended))
        thread.start()
        position = int(api.post("/runs", {"agent_id": "a", "user_id": "u"}).headers["sluice-position"])
        while int(api.post("/runs", {"agent_id": "a", "user_id": "u"}).headers["sluice-position"]) < position + 40:
            pass
        process.kill()
        ended.set()
        thread.join()
        process.start()
        names = {(secret["owner"], secret["name"]) for secret in process.client().get("/api/v1/secrets").json}
        obsolete = {key_name(event) for event in payloads(process, DELETED)}
        stored = payloads(process, STORED)
        obsolete |= {key_name(event, 6) for event in stored if 6 in event}
        needed = {key_name(event) for event in stored} - obsolete
        assert sorted(needed) == secret_keys(process) and len(needed) == len(names), attempt
        assert len(stored) > attempt and "cannot be opened" not in process.output.read_text()


def test_a_master_key_is_made_for_its_owner_alone_and_asked_for_at_every_start(own_sluice):
    process = own_sluice()
    plant(process.client())
    key = process.data / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert process.stop() == 0
    text = key.read_text()

    def refusal():
        ended = process.run("serve", "--data-dir", process.data, "--listen", f"127.0.0.1:{process.port}")
        assert text.strip() not in ended.stdout + ended.stderr
        return ended.returncode, ended.stderr

    key.chmod(0o644)
    code, message = refusal()
    assert code == 78 and "others may read the master key" in message
    key.chmod(0o600)
    key.write_text(base64.b64encode(os.urandom(32)).decode())
    code, message = refusal()
    assert code == 78 and "is not the one that the keyring" in message
    key.unlink()
    code, message = refusal()
    assert code == 78 and "is not there" in message and "restore it" in message and not key.exists()
    process.settings["SLUICE_MASTER_KEY"] = text.strip()
    process.start()
    assert len(process.client().get("/api/v1/secrets").json) == 10
    printed = process.run("serve", "--print-config", "--data-dir", process.data)
    assert "master-key = (set)" in printed.stdout and text.strip() not in printed.stdout
    assert process.stop() == 0 and not key.exists()


def test_the_master_key_is_rotated_and_every_secret_still_opens(own_sluice):
    process = own_sluice()
    plant(process.client())
    keys = keyring_ids(process)
    wrapped = (process.data / "keyring").read_bytes()
    old = (process.data / "master.key").read_text()
    busy = process.run("secrets", "rotate-master-key", "--data-dir", process.data)
    assert busy.returncode == 75
    assert process.stop() == 0
    rotated = process.run("secrets", "rotate-master-key", "--data-dir", process.data)
    assert rotated.returncode == 0 and f"{len(keys)} keys" in rotated.stdout, rotated
    assert (process.data / "master.key").read_text() != old
    assert sorted(keyring_ids(process)) == sorted(keys) and (process.data / "keyring").read_bytes() != wrapped
    process.start()
    assert "cannot be opened" not in process.output.read_text()
    assert len(process.client().get("/api/v1/secrets").json) == 10


def test_the_command_line_sets_lists_and_deletes(own_sluice):
    process = own_sluice()
    plant(process.client())

    def run(*arguments, text=""):
        return subprocess.run(
            [BINARY, "secrets", *arguments, "--url", process.url], input=text, env=process.environment(), text=True,
            capture_output=True, timeout=60)

    assert run("set", "session_token", "--owner", "tool/flat", text=PLANTED["cli"] + "\n").returncode == 0
    listed = run("list")
    assert "tool/flat  session_token" in listed.stdout and PLANTED["cli"] not in listed.stdout
    assert run("set", "n", "--owner", "tool/nobody", text="x").returncode == 66
    assert run("set", "n", "--owner", "tool/flat").returncode == 78
    assert run("delete", "session_token", "--owner", "tool/flat").returncode == 0
    assert run("delete", "session_token", "--owner", "tool/flat").returncode == 66
    assert "session_token" not in run("list").stdout


@pytest.mark.parametrize("role, status", [("operator", 200), ("approver", 403), ("agent", 403), ("viewer", 403)])
def test_names_of_secrets_are_for_those_who_manage_them(sluice, role, status):
    assert sluice.client(sluice.key(role)).get("/api/v1/secrets").status == status


def test_a_workspace_sees_its_own_secrets_alone(sluice):
    theirs = sluice.client(sluice.key("operator", "theirs"))
    ours = sluice.client(sluice.key("operator", "ours"))
    body = {"name": "t", "base_url": "https://x.test", "credentials": {"api_key": "s"}}
    assert ours.post("/api/v1/tools", body).status == 201
    assert theirs.get("/api/v1/secrets").json == []
    assert theirs.delete("/api/v1/secrets/tool/t/api_key").status == 404
    assert [secret["name"] for secret in ours.get("/api/v1/secrets").json] == ["api_key"]
