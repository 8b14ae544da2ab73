"""What the log says can be checked by others, and a changed history is caught by whoever holds an older checkpoint."""

import base64
import json
import pathlib
import shutil
import subprocess
import types
import urllib.parse

import pytest
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError

import independent_verifier
from sluice_process import BINARY, SluiceProcess
from waiting import eventually

FORMATS = ["json", "ndjson", "cloudevents", "splunk-hec", "ocsf"]


def command(sluice, *arguments, key=None):
    return subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=120,
        env={"PATH": "/usr/bin:/bin", "SLUICE_API_KEY": key or sluice.environment()["SLUICE_API_KEY"]})


def log_key(sluice):
    answer = sluice.client().get("/audit/key")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
    return answer.content.decode().strip()


def blocked(api, **body):
    run = api.post("/runs", {"agent_id": "a", "user_id": "u"}).json["id"]
    action = api.post(f"/runs/{run}/actions", {
        "tool_id": "payments", "capability": "transfer", "payload_hash": "sha256:" + "ab" * 32,
        "tool_method": "POST", "tool_url": "https://pay.test/transfers"} | body).json
    return run, action["action_id"]


def approved(sluice, api):
    run, action = blocked(api)
    answer = sluice.client(sluice.key("approver")).post(
        f"/runs/{run}/actions/{action}/approve", {"reason": "the invoice is right"},
        headers={"X-Payload-Hash": "sha256:" + "ab" * 32})
    assert answer.status == 200, answer
    return run, action


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A daemon with some history: more than one full tile of the tree."""
    process = SluiceProcess(tmp_path_factory.mktemp("busy"), {"SLUICE_SEGMENT_BYTES_MAX": "65536"}).start()
    api = process.client()
    process.run, process.action = approved(process, api)
    for _ in range(4):
        lines = [{"type": "PROGRESS", "data": {"step": step, "text": "x" * 100}} for step in range(150)]
        answer = api.request("POST", f"/runs/{process.run}/events", content="\n".join(map(json.dumps, lines)).encode(),
                             headers={"Content-Type": "application/x-ndjson"})
        assert answer.status in (200, 201), answer
        blocked(api)
    yield process
    assert process.stop() == 0


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_is_proven_by_the_command_and_by_a_program_not_written_here(busy, tmp_path, format):
    file = tmp_path / "export"
    shown = command(busy, "export", "--url", busy.url, "--run", busy.run, "--format", format)
    assert shown.returncode == 0, shown.stderr
    file.write_text(shown.stdout)
    key = log_key(busy)
    checked = command(busy, "verify", str(file), "--key", key, "--json")
    assert checked.returncode == 0, checked.stdout
    report = json.loads(checked.stdout)
    assert report["proven"] and report["begins_at_start"] and report["run_id"] == busy.run
    proven = independent_verifier.verify(shown.stdout.rstrip("\n").split("\n"), key)
    assert len(proven) == report["events"] > 600
    own = [sequence for _, _, stream, sequence in proven if stream == f"run/{busy.run}"]
    assert own == list(range(1, len(own) + 1)), "nothing of the run is missing"


def test_sigstore_verifies_our_proofs_as_those_of_its_own_log(busy):
    """Its reader of checkpoints and its check of inclusion, which it has from Google's Trillian."""
    lines = busy.client().get(f"/runs/{busy.run}/audit/export?format=ndjson").content.decode().splitlines()
    checkpoint = SignedCheckpoint.from_text(json.loads(lines[0])["checkpoint"]).checkpoint
    assert len(lines) > 600

    def entry(line):
        return types.SimpleNamespace(_inner=types.SimpleNamespace(
            canonicalized_body=base64.b64decode(line["record"]), inclusion_proof=types.SimpleNamespace(
                log_index=line["leaf_index"], tree_size=checkpoint.log_size, root_hash=bytes.fromhex(checkpoint.log_hash),
                hashes=[base64.b64decode(each) for each in line["inclusion"]])))

    for line in map(json.loads, lines[1:]):
        verify_merkle_inclusion(entry(line))
    with pytest.raises(VerificationError):
        verify_merkle_inclusion(entry(line | {"leaf_index": line["leaf_index"] - 1}))


def test_an_export_can_be_gone_on_with(busy, tmp_path):
    key = log_key(busy)
    whole = busy.client().get(f"/runs/{busy.run}/audit/export?format=ndjson").content.decode().splitlines()
    middle = json.loads(whole[300])["event"]["position"]
    rest = busy.client().get(f"/runs/{busy.run}/audit/export?format=ndjson&after={middle}").content.decode().splitlines()
    assert [json.loads(line)["event"] for line in whole[301:]] == [json.loads(line)["event"] for line in rest[1:]]
    joined = tmp_path / "joined"
    joined.write_text("\n".join(whole[:301] + rest) + "\n")
    report = json.loads(command(busy, "verify", str(joined), "--key", key, "--json").stdout)
    assert report["proven"] and report["events"] == len(whole) - 1


def test_an_export_that_was_changed_proves_nothing(busy, tmp_path):
    key = log_key(busy)
    lines = busy.client().get(f"/runs/{busy.run}/audit/export?format=ndjson").content.decode().splitlines()

    def changed(index, change):
        copy = [*lines]
        document = json.loads(copy[index])
        change(document)
        copy[index] = json.dumps(document)
        return copy

    def flip(document):
        record = bytearray(base64.b64decode(document["record"]))
        record[-1] ^= 1
        document["record"] = base64.b64encode(record).decode()

    forged = {
        "a word": changed(2, lambda d: d["event"].update(type="action.approved")),
        "the record": changed(2, flip),
        "the place": changed(2, lambda d: d.update(leaf_index=d["leaf_index"] + 1)),
        "the proof": changed(2, lambda d: d["inclusion"].reverse()),
        "one left out": lines[:5] + lines[6:],
        "two in another order": lines[:5] + [lines[6], lines[5]] + lines[7:],
        "one twice": lines[:5] + [lines[5], lines[5]] + lines[6:],
        "the checkpoint": changed(0, lambda d: d.update(checkpoint=d["checkpoint"].replace("\n", "\n1", 1))),
        "the run": changed(0, lambda d: d.update(run_id="00000000-0000-4000-8000-000000000000")),
        "no checkpoint": lines[1:],
        "cut off": lines[:5] + [lines[5][:-20]],
        "something else": lines[:5] + ["{}"],
        "empty": [],
    }
    for name, content in forged.items():
        file = tmp_path / "forged"
        file.write_text("\n".join(content) + "\n")
        checked = command(busy, "verify", str(file), "--key", key)
        assert checked.returncode == 1 and "NOT PROVEN" in checked.stdout, name
    file.write_text("\n".join(lines))
    other = "sluice/other+" + key.split("+", 1)[1]
    assert command(busy, "verify", str(file), "--key", other).returncode != 0
    assert command(busy, "verify", str(tmp_path / "missing"), "--key", key).returncode == 78


def test_a_receipt_says_who_decided_what_and_proves_it(busy, tmp_path):
    answer = busy.client(busy.key("viewer")).get(f"/runs/{busy.run}/actions/{busy.action}/receipt")
    assert answer.status == 200, answer
    decision = answer.json["decision"]
    assert decision["outcome"] == "APPROVED" and decision["payload_hash"] == "sha256:" + "ab" * 32
    assert decision["method"] == "POST" and decision["url"] == "https://pay.test/transfers"
    assert decision["reason"] == "the invoice is right" and decision["decided_by"]["kind"] == "api_key"
    file = tmp_path / "receipt.json"
    file.write_bytes(answer.content)
    key = log_key(busy)
    checked = command(busy, "verify", str(file), "--key", key, "--json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["decision"] == decision
    assert len(independent_verifier.verify([answer.content.decode()], key)) == 2
    # Written on several lines, as people keep such files.
    file.write_text(json.dumps(answer.json, indent=2))
    assert command(busy, "verify", str(file), "--key", key).returncode == 0
    for change in [{"outcome": "REJECTED"}, {"url": "https://pay.test/other"}, {"decided_by": {"name": "somebody else"}}]:
        file.write_text(json.dumps(answer.json | {"decision": decision | change}))
        assert command(busy, "verify", str(file), "--key", key).returncode == 1
    file.write_text(json.dumps(answer.json | {"events": answer.json["events"][:1]}))
    assert command(busy, "verify", str(file), "--key", key).returncode == 1, "nothing of a decision is in it"


def test_requests_for_access_have_receipts_too(busy, tmp_path):
    api = busy.client()
    request = api.post("/approvals/requests", {"subject": "u", "tool_id": "t", "agent_id": "a"}).json["id"]
    waiting = api.get(f"/approvals/requests/{request}/receipt")
    assert waiting.status == 409 and "no decision yet" in waiting.error
    assert busy.client(busy.key("approver")).post(f"/approvals/requests/{request}/reject", {"reason": "no"}).status == 200
    answer = api.get(f"/governance/requests/{request}/receipt")
    assert answer.status == 200 and answer.json["decision"]["outcome"] == "REJECTED"
    file = tmp_path / "receipt.json"
    file.write_bytes(answer.content)
    assert command(busy, "verify", str(file), "--key", log_key(busy)).returncode == 0


def test_proofs_lead_to_the_signed_root(busy):
    api, key = busy.client(), log_key(busy)
    for position in [1, 255, 256, 257, 600]:
        answer = api.get(f"/audit/proof/inclusion?position={position}").json
        size, root = independent_verifier.checkpoint_root(answer["checkpoint"], key)
        record_hash = leaf_hash(api, position)
        proof = [base64.b64decode(each) for each in answer["inclusion"]]
        assert size == answer["tree_size"] and root == base64.b64decode(answer["root_hash"])
        assert independent_verifier.root_of(position - 1, size, record_hash, proof) == root


def leaf_hash(api, position):
    """Out of the tile that has it."""
    index = position - 1
    size = api.get("/audit/proof/inclusion?position=1").json["tree_size"]
    full = (index // 256 + 1) * 256 <= size
    path = f"0/{index // 256:03}" + ("" if full else f".p/{size % 256}")
    tile = api.get(f"/audit/tile/{path}")
    assert tile.status == 200 and tile.headers["content-type"] == "application/octet-stream"
    return tile.content[index % 256 * 32:][:32]


@pytest.mark.parametrize("path, status", [
    ("/audit/proof/inclusion", 400), ("/audit/proof/inclusion?position=0", 400),
    ("/audit/proof/inclusion?position=99999999", 404), ("/audit/proof/inclusion?position=5&size=4", 404),
    ("/audit/proof/inclusion?position=x", 400), ("/audit/proof/consistency", 400),
    ("/audit/proof/consistency?from=9&to=8", 404), ("/audit/proof/consistency?from=1&to=99999999", 404),
    ("/audit/tile/0/999", 404), ("/audit/tile/9/000", 400), ("/audit/tile/0/000.p/256", 400),
    ("/audit/tile/" + urllib.parse.quote("../checkpoint.key", safe=""), 400), ("/audit/tile/0/../../checkpoint.key", 400),
    ("/runs/00000000-0000-4000-8000-000000000000/audit/export", 404),
])
def test_what_cannot_be_proven_is_refused_with_a_reason(busy, path, status):
    answer = busy.client().get(path)
    assert answer.status == status and answer.error


def test_a_format_that_nobody_knows_is_refused(busy):
    answer = busy.client().get(f"/runs/{busy.run}/audit/export?format=xml")
    assert answer.status == 400 and "ocsf" in answer.error


def test_a_daemon_goes_on_from_what_it_has_signed(own_sluice, tmp_path):
    sluice = own_sluice()
    approved(sluice, sluice.client())
    first = sluice.client().get("/audit/checkpoint").content.decode()
    key = log_key(sluice)
    old = tmp_path / "old"
    old.write_text(first)
    sluice.restart()
    assert log_key(sluice) == key
    approved(sluice, sluice.client())
    shutil.rmtree(sluice.data / "audit/tile", ignore_errors=True)
    checked = command(sluice, "audit", "consistency", str(old), "--key", key, "--url", sluice.url)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert independent_verifier.checkpoint_root(checked.stdout, key)[0] > independent_verifier.checkpoint_root(first, key)[0]


def test_a_history_that_was_changed_is_signed_no_more(own_sluice, tmp_path):
    """The log of another daemon in its place stands for whatever an operator may do to it: it is whole, and another."""
    sluice, other = own_sluice(), own_sluice()
    for each in (sluice, other):
        approved(each, each.client())
    checkpoint = sluice.client().get("/audit/checkpoint").content.decode()
    key = log_key(sluice)
    sluice.stop(), other.stop()
    for name in ("log", "read-model.sqlite", "read-model.sqlite-wal", "read-model.sqlite-shm", "snapshots", "keyring",
                 "master.key"):
        target, source = sluice.data / name, other.data / name
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    sluice.start()
    refused = sluice.client().get("/audit/checkpoint")
    assert refused.status == 503 and refused.headers["sluice-error-code"] == "audit_unavailable"
    assert "is not the one whose first" in refused.error
    eventually(sluice.output.read_text, lambda text: "no checkpoint was signed" in text)
    # The operator makes it sign all the same, with the log's own key: whoever has the older checkpoint sees it.
    sluice.stop()
    for name in ("checkpoint", "checkpoints"):
        target = sluice.data / "audit" / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    sluice.start()
    approved(sluice, sluice.client())
    assert log_key(sluice) == key and sluice.client().get("/audit/checkpoint").status == 200
    old = tmp_path / "old"
    old.write_text(checkpoint)
    caught = command(sluice, "audit", "consistency", str(old), "--key", key, "--url", sluice.url)
    assert caught.returncode == 1 and "CHANGED" in caught.stdout


def test_another_sluice_is_a_witness_and_signs_no_other_history(own_sluice, tmp_path):
    author = own_sluice()
    approved(author, author.client())
    key = log_key(author)
    witness = own_sluice(SLUICE_WITNESS_LOGS=key)
    cosigner = command(witness, "audit", "key", "--witness", "--url", witness.url).stdout.strip()
    author.stop()
    author.settings |= {"SLUICE_WITNESSES": f"{cosigner} {witness.url}/audit/witness", "SLUICE_CHECKPOINT_INTERVAL": "100ms"}
    author.start()
    name = cosigner.split("+")[0]
    note = eventually(lambda: author.client().get("/audit/checkpoint").content.decode(),
                      lambda text: text.count("\u2014 ") == 2 and f"\u2014 {name} " in text)
    assert independent_verifier.checkpoint_root(note, key)
    run = author.client().get("/runs").json[0]["id"]
    export = tmp_path / "export"
    export.write_text(command(author, "export", "--url", author.url, "--run", run).stdout)
    assert json.loads(command(author, "verify", str(export), "--key", key, "--json").stdout)["cosigners"] == [name]

    post = witness.client(None)
    path = "/audit/witness/add-checkpoint"
    current = author.client().get("/audit/checkpoint").content.decode()
    own = "\n\n".join([current.split("\n\n")[0], current.split("\n\n")[1].splitlines()[0] + "\n"])
    size = int(own.split("\n")[1])
    seen = post.request("POST", path, content=f"old 0\n\n{own}".encode())
    assert seen.status == 409 and seen.content.decode() == f"{size}\n" and seen.headers["content-type"] == "text/x.tlog.size"
    again = post.request("POST", path, content=f"old {size}\n\n{own}".encode())
    assert again.status == 200 and again.content.decode().startswith(f"\u2014 {name} ")
    wrong_proof = "".join(base64.b64encode(bytes(32)).decode() + "\n" for _ in range(2))
    assert post.request("POST", path, content=f"old {size}\n{wrong_proof}\n{own}".encode()).status in (409, 422)
    tampered = own.replace(f"\n{size}\n", f"\n{size + 1}\n")
    assert post.request("POST", path, content=f"old {size}\n\n{tampered}".encode()).status == 403
    foreign = own.replace(key.split("+")[0], "somebody")
    assert post.request("POST", path, content=f"old 0\n\n{foreign}".encode()).status == 404
    for bad in [b"", b"old\n\n", b"old x\n\n" + own.encode(), b"old 0\nnonsense\n\n" + own.encode(), b"\xff\n\n\xff"]:
        assert post.request("POST", path, content=bad).status == 400, bad

    # The author's log is put back to an older state, and goes on otherwise: the witness does not sign that.
    witness.restart()
    assert post.request("POST", path, content=f"old 0\n\n{own}".encode()).status == 409


def test_the_key_of_the_log_is_the_owners_alone(busy):
    key = pathlib.Path(busy.data) / "audit/checkpoint.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in busy.client().get("/audit/key").content.decode()


def test_a_key_that_cannot_be_read_stops_the_start_and_says_so(own_sluice):
    sluice = own_sluice()
    sluice.stop()
    (sluice.data / "audit/checkpoint.key").write_text("nonsense\n")
    with pytest.raises(AssertionError, match="is no key: put it back"):
        sluice.start()
