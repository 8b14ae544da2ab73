"""A person's data can be destroyed for good, and what is left of the log still proves what it proved."""

import json
import pathlib
import subprocess
import tempfile

import pytest

import independent_verifier
import read_log
from backups import answers, contents
from identity_server import IdentityServer
from sluice_process import BINARY
from ssh_keys import KeyFile
from consent_world import World as Mail, consent
from waiting import eventually

# Everything that is said of the person has this in it.
MARK = "Lovelace7"
USER = f"ada-{MARK}@example.test"
HASH = "sha256:" + "ab" * 32


def life(api, approver, user=USER, mark=MARK):
    """A finished run of the user, with something of theirs in everything that a run can have."""
    run = api.post("/runs", {
        "agent_id": "helper", "user_id": user, "conversation_id": f"talk-{mark}", "initial_message": f"I am {mark}",
        "input": {"address": f"{mark} street"}}, headers={"Idempotency-Key": f"run-{len(mark)}{mark[0]}{mark[-1]}"}).json["id"]
    lines = [{"type": "USER_MESSAGE", "actor": f"{mark}", "data": {"message": f"{mark} said {step}"}} for step in range(20)]
    assert api.post(f"/runs/{run}/events", content="\n".join(map(json.dumps, lines)).encode(),
                    headers={"Content-Type": "application/x-ndjson"}).status == 201
    assert api.post(f"/runs/{run}/checkpoint", {"action_id": "a", "messages": [{"role": "user", "content": mark}]}).status < 300
    action = api.post(f"/runs/{run}/actions", {
        "tool_id": "crm", "capability": f"read {mark}", "payload_hash": HASH, "tool_method": "POST",
        "tool_url": f"https://crm.test/customers/{mark}"}).json["action_id"]
    assert approver.post(f"/runs/{run}/actions/{action}/approve", {"reason": f"{mark} asked on the phone"},
                         headers={"X-Payload-Hash": HASH}).status == 200
    assert api.post("/governance/requests", {
        "subject": user, "tool_id": "crm", "capability": f"read {mark}", "tool_url": f"https://crm.test/{mark}"},
        headers={"Idempotency-Key": f"access-{len(mark)}{mark[0]}{mark[-1]}"}).status == 201
    assert api.post("/runs/" + run + "/status", {"status": "COMPLETED"}).status == 200 or api.request(
        "PATCH", f"/runs/{run}", {"status": "COMPLETED"}).status == 200
    failed = api.post("/runs", {"agent_id": "helper", "user_id": user}).json["id"]
    assert api.post(f"/runs/{failed}/cancel", {"reason": f"{mark}reason was wrong"}).status == 200
    assert api.get(f"/runs?error={mark}reason").json[0]["id"] == failed
    return run, action


def indexed(directory, words=(f"{MARK}reason", MARK)):
    """The files in which the search index may have these words: it keeps them in lower case, without common beginnings."""
    return [name for name, content in contents(directory).items() for word in words if word.lower()[2:].encode() in content]


def records(directory):
    """The records of a log, or of the segments of a backup, whose names say more."""
    for segment in sorted((pathlib.Path(directory) / "log").glob("*.seg")):
        with tempfile.TemporaryDirectory() as place:
            file = pathlib.Path(place) / (segment.name[:20] + ".seg")
            file.symlink_to(segment)
            yield from (record for _, record in read_log.records(file))


def found(directory, text):
    """The files that have the text in them, as they are; and whether a record of a log has it."""
    text = text.encode() if isinstance(text, str) else text
    files = [name for name, content in contents(directory).items() if text in content]
    return files + (["a record"] if any(text in record for record in records(directory)) else [])


def erased(api, user=USER):
    asked = api.post("/erasures", {"user_id": user})
    assert asked.status == 202, asked
    return eventually(lambda: api.get(f"/erasures/{asked.json['id']}").json, lambda erasure: erasure["status"] == "ERASED")


def command(sluice, *arguments):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=120,
        env={"PATH": "/usr/bin:/bin", "SLUICE_API_KEY": sluice.environment()["SLUICE_API_KEY"]})


def log_key(sluice):
    return sluice.client().get("/audit/key").content.decode().strip()


def verified(sluice, file):
    ended = command(sluice, "verify", str(file), "--key", log_key(sluice))
    assert ended.returncode == 0, ended.stderr
    return independent_verifier.verify(file.read_text().rstrip("\n").split("\n"), log_key(sluice))


@pytest.fixture
def world(own_sluice):
    sluice = own_sluice(SLUICE_SEGMENT_BYTES_MAX="65536")
    api = sluice.client()
    sluice.ada = life(api, sluice.client(sluice.key("approver")))
    sluice.bob = life(api, sluice.client(sluice.key("approver")), "bob@example.test", "Babbage3")
    return sluice


def test_no_byte_of_the_directory_or_of_a_backup_says_anything_of_an_erased_person(world, tmp_path):
    api, place = world.client(), tmp_path / "backup"
    driven = api.post("/runs", {
        "agent_id": "helper", "user_id": USER, "message": "go", "invoke_url": f"http://127.0.0.1:9/?for={MARK}"})
    assert driven.status == 201 and api.post(f"/runs/{driven.json['id']}/cancel").status == 200
    assert api.get("/runs?as_of=20").status == 200, "a read model of the past is kept too"
    assert world.run("backup", place, "--data-dir", world.data).returncode == 0
    world.stop()
    world.start()
    api = world.client()
    assert api.get("/runs?as_of=20").status == 200
    kept = found(world.data, MARK)
    assert any(name.startswith("read-model") for name in kept) and any("as-of" in name for name in kept), kept
    assert "a record" not in kept and not found(place, MARK), "in the log it was sealed from the beginning"
    assert indexed(world.data)
    keyring = (world.data / "keyring").read_bytes()

    erasure = erased(api)
    assert erasure["events"] > 20 and erasure["requested_by"] == "SLUICE_API_KEY"
    assert world.run("backup", place, "--data-dir", world.data).returncode == 0
    slots = range(0, len(keyring), 256)
    after = (world.data / "keyring").read_bytes()
    destroyed = [keyring[at:at + 256] for at in slots if any(keyring[at:at + 256]) and not any(after[at:at + 256])]
    assert len(destroyed) == 1, "their key and no other"
    for directory in (world.data, place):
        assert not found(directory, MARK) and not indexed(directory)
        assert not found(directory, destroyed[0][60:120]), "the wrapped key is nowhere either"
    api.get("/runs?as_of=20")
    world.stop()
    assert not found(world.data, MARK) and not indexed(world.data), "nor does the stop write anything of it"
    world.start()
    assert world.client().get(f"/runs?q={MARK}").json == []


def test_bases_of_answers_about_the_past_are_made_again_without_an_erased_person(own_sluice):
    sluice = own_sluice(SLUICE_HISTORY_INTERVAL="100")
    api = sluice.client()
    run, _ = life(api, sluice.client(sluice.key("approver")))
    other = api.post("/runs", {"agent_id": "helper", "user_id": "bob@example.test"}).json["id"]
    lines = "\n".join('{"type": "X", "data": {"n": %d}}' % n for n in range(300)).encode()
    answer = api.post(f"/runs/{other}/events", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 201, answer

    def bases():
        return {(path.name, path.stat().st_mtime_ns) for path in (sluice.data / "as-of").glob("*.base")}

    before = eventually(bases, lambda files: len(files) >= 3)
    position = max(int(name.split("-")[1].removesuffix(".base")) for name, _ in before)
    assert MARK.encode() in api.get(f"/runs/{run}?as_of={position}").content
    erased(api)
    assert not before & bases(), "those that were made of what the key opened are gone"
    eventually(bases, lambda files: len(files) >= 3)
    answer = api.get(f"/runs/{run}?as_of={position}")
    assert answer.status == 200 and run.encode() in answer.content and MARK.encode() not in answer.content


def test_what_is_left_of_an_erased_person_still_proves_itself(world, tmp_path):
    api, (run, action) = world.client(), world.ada
    before = tmp_path / "before.json"
    before.write_bytes(api.get(f"/runs/{run}/audit/export").content)
    assert MARK in before.read_text()
    old = api.get("/audit/checkpoint").content.decode()
    shown = verified(world, before)
    erasure = erased(api)

    export = tmp_path / "after.json"
    export.write_bytes(api.get(f"/runs/{run}/audit/export").content)
    assert verified(world, export) == shown, "the same events, and MARK is in none of them"
    assert MARK not in export.read_text() and "[erased]" in export.read_text()
    assert verified(world, before) == shown, "what was exported before stays proven"
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(api.get(f"/runs/{run}/actions/{action}/receipt").content)
    verified(world, receipt)
    assert json.loads(receipt.read_text())["decision"]["reason"] == "[erased]"
    assert json.loads(receipt.read_text())["decision"]["approved_payload_hash"] == HASH, "what was approved is still said"
    size = int(old.split("\n")[1])
    assert api.get(f"/audit/proof/consistency?from={size}").status == 200

    certificate = tmp_path / "certificate.json"
    certificate.write_bytes(api.get(f"/erasures/{erasure['id']}/certificate").content)
    assert len(verified(world, certificate)) == 2
    decision = json.loads(certificate.read_text())["decision"]
    assert decision["outcome"] == "ERASED" and decision["person_id"] == erasure["id"] and decision["events"] == erasure["events"]
    assert MARK not in certificate.read_text()


@pytest.mark.parametrize("change", ["another text", "left out", "of another event"])
def test_what_an_export_says_was_sealed_is_what_was_sealed(world, tmp_path, change):
    export = json.loads(world.client().get(f"/runs/{world.ada[0]}/audit/export").content)
    sealed = [event for event in export["events"] if event.get("disclosed")]
    assert len(sealed) > 20
    if change == "another text":
        sealed[3]["event"]["data"]["data"]["message"] = "she never said that"
    elif change == "left out":
        del sealed[3]["disclosed"]
    else:
        sealed[3]["disclosed"] = sealed[4]["disclosed"]
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(export))
    ended = command(world, "verify", str(file), "--key", log_key(world))
    assert ended.returncode != 0 and "not what the record says" in ended.stdout, ended


def shown(sluice, *runs):
    """What GETs answer, in general and of those runs."""
    api = sluice.client()
    paths = [f"/runs/{run}{more}" for run in runs for more in ("", "/events?limit=1000", "/actions")]
    return answers(sluice) | {path: api.get(path).content for path in paths + ["/runs?user_id=bob@example.test"]}


def test_everybody_else_is_answered_as_before_and_so_is_a_rebuild(world):
    api, (run, _) = world.client(), world.ada
    before = shown(world, world.bob[0])
    lists = {path: before.pop(path) for path in ("/governance/requests", "/api/v1/context/export")}
    assert all(MARK in str(answer) for answer in lists.values()) and "Babbage3" in str(before)
    assert [path for path in before if MARK in str(before[path])] == []
    erasure = erased(api)
    after = shown(world, world.bob[0])
    name = f"erased-{erasure['id']}"
    assert MARK not in str(after) and lists.keys() == {path for path in lists if after.pop(path)}
    assert name in str(api.get("/governance/requests?status=EXPIRED").json), "what they asked for has ended"
    assert after == before
    now = api.get(f"/runs/{run}").json
    assert now["user_id"] == name and now["status"] == "COMPLETED"
    events = api.get(f"/runs/{run}/events?limit=1000").json
    assert MARK not in json.dumps(events) and events[0]["data"] == {"erased": True}
    assert [each["id"] for each in api.get(f"/runs?user_id={name}").json][1:] == [run], "after the one that failed"
    assert len(api.get(f"/runs?q={name}").json) == 2
    held = shown(world, run, world.bob[0])
    world.stop()
    for file in world.data.glob("read-model*"):
        file.unlink()
    world.start()
    assert shown(world, run, world.bob[0]) == held


def test_an_erasure_that_is_cut_off_is_finished_by_the_next_start(world):
    asked = world.client().post("/erasures", {"user_id": USER})
    assert asked.status == 202
    world.kill()
    world.start()
    api = world.client()
    eventually(lambda: api.get(f"/erasures/{asked.json['id']}").json, lambda erasure: erasure["status"] == "ERASED")
    assert not found(world.data, MARK)
    assert api.get("/erasures").json[0]["id"] == asked.json["id"]


def test_who_was_erased_may_come_back_as_somebody_new(world):
    api = world.client()
    first = erased(api)
    assert api.post("/erasures", {"user_id": USER}).status == 404, "nothing is kept of them"
    run, _ = life(api, world.client(world.key("approver")), mark="Lovelace8")
    assert api.get(f"/runs/{run}").json["user_id"] == USER
    second = erased(api)
    assert second["id"] != first["id"] and not found(world.data, "Lovelace")
    assert [each["id"] for each in api.get("/erasures").json] == [second["id"], first["id"]]
    assert api.get("/erasures?limit=1").headers["link"].startswith("<?limit=1&cursor=")


def test_what_still_goes_on_is_not_erased(world):
    api = world.client()
    run = api.post("/runs", {"agent_id": "helper", "user_id": USER}).json["id"]
    refused = api.post("/erasures", {"user_id": USER})
    assert refused.status == 409 and run in refused.json["error"]
    assert refused.headers["sluice-error-code"] == "person_active"
    assert found(world.data, MARK), "nothing was touched"


def test_only_an_administrator_erases_and_only_who_is_known(world):
    for role in ("operator", "approver", "agent", "viewer"):
        assert world.client(world.key(role)).post("/erasures", {"user_id": USER}).status == 403
    api = world.client()
    assert api.post("/erasures", {"user_id": "nobody"}).status == 404
    assert api.post("/erasures", {"user_id": USER.upper()}).status == 404
    assert api.post("/erasures", {}).status == 400
    assert api.post("/erasures", {"user_id": 7}).status == 400
    unknown = "019e0000-0000-7000-8000-000000000000"
    assert api.get(f"/erasures/{unknown}").status == api.get(f"/erasures/{unknown}/certificate").status == 404
    assert api.get("/erasures").json == []


def test_calls_and_consents_of_an_erased_person_are_gone_too(tmp_path):
    world = Mail(tmp_path)
    try:
        run = world.agent.start(USER)
        consent(world.asked(run)["authorization_url"])
        assert world.agent.call(run, "GET", "mail", f"/inbox?of={MARK}").status == 200
        body = json.dumps({"text": f"regards, {MARK}"}).encode()
        action = world.agent.blocked(run, "POST", "mail", f"/send/{MARK}", body)
        world.agent.approve(action)
        assert world.agent.call(run, "POST", "mail", f"/send/{MARK}", body).status == 200
        api = world.sluice.client()
        assert api.request("PATCH", f"/runs/{run}", {"status": "COMPLETED"}).status == 200
        names = [secret["name"] for secret in api.get("/api/v1/secrets").json]
        assert f"consent:{USER}" in names
        assert "a record" not in found(world.sluice.data, MARK) and found(world.sluice.data, MARK)
        erased(api)
        assert not found(world.sluice.data, MARK)
        assert [secret["name"] for secret in api.get("/api/v1/secrets").json] == [
            name for name in names if not name.startswith("consent:")]
        assert world.agent.call(world.agent.start("bob"), "GET", "mail", "/inbox").code == "CONSENT_REQUIRED"
        again = world.agent.start(USER)
        assert world.agent.call(again, "GET", "mail", "/inbox").code == "CONSENT_REQUIRED", "nobody has consented"
    finally:
        world.close()


def test_who_decided_is_erased_as_who_is_asked_about_is(world, tmp_path):
    """An approver is a person too. That somebody decided, and what, stays."""
    provider = IdentityServer()
    try:
        api, approver = world.client(), f"{MARK}@corp.test"
        assert api.post("/api/v1/identity-providers", {
            "name": "corp", "spec": provider.spec(role="approver")}).status == 201
        run = api.post("/runs", {"agent_id": "helper", "user_id": "bob@example.test"}).json["id"]
        action = api.post(f"/runs/{run}/actions", {"tool_id": "crm", "payload_hash": HASH}).json["action_id"]
        person = world.client(provider.token(approver, sub=f"subject-{MARK}"))
        assert person.post(f"/runs/{run}/actions/{action}/approve", {"reason": "fine"},
                           headers={"X-Payload-Hash": HASH}).status == 200
        receipt = f"/runs/{run}/actions/{action}/receipt"
        assert api.get(receipt).json["decision"]["decided_by"]["name"] == approver
        erasure = erased(api, approver)
        name = f"erased-{erasure['id']}"
        file = tmp_path / "receipt.json"
        file.write_bytes(api.get(receipt).content)
        verified(world, file)
        decision = json.loads(file.read_text())["decision"]
        assert decision["decided_by"] == {
            "kind": "person", "identity_provider": "corp", "subject": name, "name": name}
        assert decision["reason"] == "fine" and decision["outcome"] == "APPROVED"
        assert api.get(f"/runs/{run}").json["user_id"] == "bob@example.test", "whose run it is, is not who decided"
        assert not found(world.data, approver) and not found(world.data, f"subject-{MARK}")
    finally:
        provider.close()


def test_an_operator_erases_from_the_command_line_and_reads_what_there_are_keys_for(world, tmp_path):
    cat = lambda: world.run("log", "cat", "--data-dir", world.data).stdout
    assert MARK in cat() and "Babbage3" in cat()
    careful = world.run("erase", USER, "--url", world.url)
    assert careful.returncode == 64 and "--yes" in careful.stderr and MARK in cat()
    ended = world.run("erase", USER, "--yes", "--url", world.url)
    assert ended.returncode == 0, ended.stderr
    certificate = tmp_path / "certificate.json"
    certificate.write_text(ended.stdout)
    assert len(verified(world, certificate)) == 2
    assert MARK not in cat() and "[erased]" in cat() and "Babbage3" in cat()
    unknown = world.run("erase", USER, "--yes", "--url", world.url)
    assert unknown.returncode == 66 and "nothing is kept of this user" in unknown.stderr
    world.stop()
    (world.data / "master.key").rename(tmp_path / "master.key")
    assert "Babbage3" not in cat() and "[sealed]" in cat(), "without the master key nobody is shown"


@pytest.mark.parametrize("whose", ["the user's", "the approver's"])
def test_a_signed_decision_stays_proven_when_what_was_signed_or_who_signed_is_erased(world, tmp_path, whose):
    """The signature cannot be checked any more then, and that is said."""
    provider, key = IdentityServer(), KeyFile(tmp_path, "id", "-t", "ed25519")
    try:
        api, approver = world.client(), f"approver-{MARK}@corp.test"
        assert api.post("/api/v1/identity-providers", {"name": "corp", "spec": provider.spec(role="approver")}).status == 201
        assert api.request("PUT", "/api/v1/settings/approval-signers", {
            "signers": [{"principal": approver, "public_key": key.line}]}).status == 200
        run = api.post("/runs", {"agent_id": "helper", "user_id": USER}).json["id"]
        action = api.post(f"/runs/{run}/actions", {
            "tool_id": "crm", "payload_hash": HASH, "tool_method": "POST", "tool_url": f"https://crm.test/{MARK}"}).json["action_id"]
        person = world.client(provider.token(approver))
        statement = person.get(f"/runs/{run}/actions/{action}/statement?decision=approve").json["statement"]
        assert MARK in statement
        assert person.post(f"/runs/{run}/actions/{action}/approve", {"signature": key.sign(statement)},
                           headers={"X-Payload-Hash": HASH}).status == 200
        assert api.request("PATCH", f"/runs/{run}", {"status": "COMPLETED"}).status == 200
        file, counts = tmp_path / "receipt.json", []
        for _ in range(2):
            file.write_bytes(api.get(f"/runs/{run}/actions/{action}/receipt").content)
            ended = command(world, "verify", str(file), "--key", log_key(world), "--json")
            assert ended.returncode == 0, ended
            report = json.loads(ended.stdout)
            counts.append((report["signatures"], report["unchecked_signatures"]))
            erasure = erased(api, USER if whose == "the user's" else approver) if len(counts) < 2 else erasure
        assert counts == [(1, 0), (0, 1)]
        decision = json.loads(file.read_text())["decision"]
        assert decision["outcome"] == "APPROVED"
        if whose == "the user's":
            assert decision["url"] == "[erased]" and decision["signature"]["principal"] == approver
        else:
            assert "signature" not in decision and decision["decided_by"]["name"] == f"erased-{erasure['id']}"
            assert decision["url"] == f"https://crm.test/{MARK}"
    finally:
        provider.close()
