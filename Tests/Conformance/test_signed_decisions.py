"""Decisions signed with the approver's own SSH key: made by ssh-keygen, demanded by policies, proven by receipts."""

import base64
import itertools
import json
import subprocess

import pytest

import independent_verifier
from approval_services import Services, link_in
from governed_agent import GovernedAgent, store_tool
from http_client import HTTPClient
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess
from ssh_keys import (
    NAMESPACE, Ed25519SecurityKey, KeyFile, P256SecurityKey, RSAKey, armored, unarmored, verified)

SIGNERS = "/api/v1/settings/approval-signers"
numbers = itertools.count()


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("signed")).start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def server():
    tool = ScriptedTool()
    tool.answer = lambda call: (201, [], b"paid")
    yield tool
    tool.close()


@pytest.fixture(scope="module")
def ada(tmp_path_factory):
    return KeyFile(tmp_path_factory.mktemp("ada"), "id", "-t", "ed25519")


@pytest.fixture(scope="module")
def eve(tmp_path_factory):
    return KeyFile(tmp_path_factory.mktemp("eve"), "id", "-t", "ecdsa")


class Payers:
    """An agent whose policy wants approvals signed, and approvers with names of their own."""

    def __init__(self, sluice, server, **approval):
        self.sluice, self.number = sluice, next(numbers)
        store_tool(sluice, "bank", server.url)
        self.agent = GovernedAgent(
            sluice, f"payer-{self.number}", [("approval_required", ["POST"], server.url + "/*")],
            [{"name": "payments", "requireSignature": True} | approval])
        self.keys = {}

    def name(self, who):
        return f"{who}-{self.number}"

    def approver(self, who, *groups):
        answer = self.sluice.client().post("/api/v1/auth/api-keys", {
            "name": self.name(who), "role": "approver", "groups": list(groups)})
        assert answer.status == 201, answer
        self.keys[who] = answer.json["token"]
        return self.sluice.client(self.keys[who])

    def allow(self, **keys):
        """Says whose keys are whose, in the place of all said before."""
        signers = [{"principal": self.name(who), "public_key": key.line} for who, key in keys.items()]
        answer = self.sluice.client().request("PUT", SIGNERS, {"signers": signers})
        assert answer.status == 200, answer
        return answer.json["signers"]

    def blocked(self, body=b"100"):
        return self.agent.blocked(self.agent.start(), "POST", "bank", "/pay", body)


def path_of(action):
    return f"/runs/{action['run_id']}/actions/{action['action_id']}"


def statement(client, action, decision="approve"):
    answer = client.get(f"{path_of(action)}/statement?decision={decision}")
    assert answer.status == 200, answer
    assert answer.json["namespace"] == NAMESPACE
    return answer.json["statement"]


def approve(client, action, signature=None, **more):
    return client.post(path_of(action) + "/approve", {"payload_hash": action["payload_hash"], "signature": signature} | more)


def refused(answer, status, code):
    assert answer.status == status and answer.headers["sluice-error-code"] == code, answer
    return answer.json["error"]


def receipt_of(sluice, action):
    answer = sluice.client().get(path_of(action) + "/receipt")
    assert answer.status == 200, answer
    return answer.json


def check(sluice, tmp_path, receipt):
    """`sluice verify` on a receipt: whether it proves what it says, and what the command shows."""
    key = sluice.client().get("/audit/key").content.decode().strip()
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt))
    done = sluice.run("verify", file, "--key", key, "--json")
    assert done.returncode in (0, 1), done
    return done.returncode == 0, json.loads(done.stdout)


@pytest.fixture
def payers(sluice, server):
    return Payers(sluice, server)


def test_the_statement_says_all_of_the_decision_and_is_what_any_tool_can_build(payers):
    action = payers.blocked()
    expected = "\n".join([
        "sluice-decision/1", "workspace: default", f"run: {action['run_id']}", f"action: {action['action_id']}",
        "tool: bank", "method: POST", f"url: {action['tool_url']}", f"payload-hash: {action['payload_hash']}",
        f"headers-hash: {action['headers_hash']}", "decision: reject", ""])
    assert statement(payers.approver("ada"), action, "reject") == expected
    answer = payers.sluice.client().get(f"{path_of(action)}/statement")
    assert answer.status == 400 and "approve or reject" in answer.json["error"]


def test_a_policy_demands_a_signature_and_a_signed_approval_is_proven(payers, ada, tmp_path):
    sluice, api = payers.sluice, payers.approver("ada")
    action = payers.blocked()
    assert action["signature_required"] is True
    explained = sluice.client().get(
        f"/api/v1/policies/explain?agent={payers.agent.name}&tool=bank&method=POST&url={action['tool_url']}").json
    assert explained["approval"]["require_signature"] is True
    error = refused(approve(api, action), 403, "signature_required")
    assert "ssh-keygen -Y sign" in error and "sluice approve" in error
    signature = ada.sign(statement(api, action))
    assert "PUT /api/v1/settings/approval-signers" in refused(
        approve(api, action, signature), 403, "signer_not_allowed")
    shown, = payers.allow(ada=ada)
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", ada.path], capture_output=True, text=True, check=True).stdout.split()[1]
    assert shown["fingerprint"] == fingerprint
    assert approve(api, action, signature).status == 200
    assert payers.agent.call(action["run_id"], "POST", "bank", "/pay", b"100").status == 201

    receipt = receipt_of(sluice, action)
    signed = receipt["decision"]["signature"]
    assert (signed["principal"], signed["key_fingerprint"]) == (payers.name("ada"), fingerprint)
    assert signed["public_key"] == " ".join(ada.line.split()[:2])
    assert verified(tmp_path, signed["principal"], signed["public_key"], signed["statement"], signed["signature"])
    assert not verified(
        tmp_path, signed["principal"], signed["public_key"], signed["statement"].replace("POST", "PUT"),
        signed["signature"])
    proven, report = check(sluice, tmp_path, receipt)
    assert proven and report["signatures"] == 1
    key = sluice.client().get("/audit/key").content.decode().strip()
    assert len(independent_verifier.verify([json.dumps(receipt)], key)) == 2

    # The request that stands for the action has the same signature in a receipt of its own.
    own = sluice.client().get(f"/approvals/requests/{action['access_request_id']}/receipt") \
        if "access_request_id" in action else None
    if own is not None:
        assert own.status == 200 and own.json["decision"]["signature"]["statement"] == signed["statement"]

    # An export has it too, and the command checks it there.
    file = tmp_path / "export.ndjson"
    file.write_bytes(sluice.client().get(f"/runs/{action['run_id']}/audit/export?format=ndjson").content)
    done = sluice.run("verify", file, "--key", key, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["signatures"] >= 1, done


def test_what_is_changed_in_a_receipt_proves_nothing(payers, ada, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    action = payers.blocked()
    assert approve(api, action, ada.sign(statement(api, action))).status == 200
    receipt = receipt_of(payers.sluice, action)
    assert check(payers.sluice, tmp_path, receipt)[0]

    def with_decision(**changes):
        copy = json.loads(json.dumps(receipt))
        copy["decision"]["signature"] |= changes
        return copy

    other = bytearray(unarmored(receipt["decision"]["signature"]["signature"]))
    other[-1] ^= 1
    for changes in [{"signature": armored(bytes(other))}, {"principal": "eve"}, {"statement": "sluice-decision/1\n"},
                    {"key_fingerprint": "SHA256:" + "A" * 43}]:
        assert not check(payers.sluice, tmp_path, with_decision(**changes))[0], changes
    # In the event and its record, where the log's tree holds it.
    copy = json.loads(json.dumps(receipt))
    event = copy["events"][-1]
    raw = bytes(unarmored(receipt["decision"]["signature"]["signature"]))
    record = base64.b64decode(event["record"])
    assert raw in record
    event["record"] = base64.b64encode(record.replace(raw, bytes(other))).decode()
    assert not check(payers.sluice, tmp_path, copy)[0]


def test_a_signature_that_does_not_fit_is_refused_and_nothing_is_recorded(payers, ada, eve):
    api = payers.approver("ada")
    payers.approver("eve")
    payers.allow(ada=ada, eve=eve)
    action, other = payers.blocked(), payers.blocked()
    text = statement(api, action)
    broken = bytearray(unarmored(ada.sign(text)))
    broken[-1] ^= 1
    for odd in [
            "x", "-----BEGIN SSH SIGNATURE-----\n!!!\n-----END SSH SIGNATURE-----", armored(b"SSHSIG"),
            armored(bytes(broken)), ada.sign(text, "file"), ada.sign(statement(api, action, "reject")),
            ada.sign(statement(api, other)), ada.sign(text.rstrip("\n")), RSAKey(1024).sign(text),
            RSAKey().sign(text, algorithm="ssh-rsa"), "x" * 20_000]:
        assert "signature is refused" in refused(approve(api, action, odd), 422, "signature_invalid")
    assert payers.name("ada") in refused(approve(api, action, eve.sign(text)), 403, "signer_not_allowed")
    assert api.post(path_of(action) + "/approve", {"signature": 7}).status == 400
    assert payers.agent.action(action["run_id"], action["action_id"])["status"] == "BLOCKED"
    assert payers.agent.run(action["run_id"])["status"] == "PAUSED_APPROVAL"


def test_a_key_that_is_taken_away_signs_no_more_and_what_it_signed_stays(payers, ada, eve, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    first, second = payers.blocked(), payers.blocked()
    assert approve(api, first, ada.sign(statement(api, first))).status == 200
    payers.allow(ada=eve)
    refused(approve(api, second, ada.sign(statement(api, second))), 403, "signer_not_allowed")
    assert approve(api, second, eve.sign(statement(api, second))).status == 200
    for action in (first, second):
        assert check(payers.sluice, tmp_path, receipt_of(payers.sluice, action))[0]
    payers.sluice.restart()
    assert receipt_of(payers.sluice, first)["decision"]["signature"]["public_key"] == " ".join(ada.line.split()[:2])


@pytest.mark.parametrize("make", [Ed25519SecurityKey, P256SecurityKey, RSAKey])
def test_security_keys_and_rsa_sign_as_well(payers, make, tmp_path):
    api, key = payers.approver("ada"), make()
    payers.allow(ada=key)
    action = payers.blocked()
    text = statement(api, action)
    if make is not RSAKey:
        assert "touch" in refused(approve(api, action, key.sign(text, flags=0)), 422, "signature_invalid")
    assert approve(api, action, key.sign(text)).status == 200
    receipt = receipt_of(payers.sluice, action)
    signed = receipt["decision"]["signature"]
    assert verified(tmp_path, signed["principal"], signed["public_key"], signed["statement"], signed["signature"])
    assert check(payers.sluice, tmp_path, receipt)[0]


def test_each_of_several_votes_is_signed(sluice, server, ada, eve, tmp_path):
    payers = Payers(sluice, server, approvers={"groups": ["finance", "risk"], "match": "all"})
    first, second = payers.approver("ada", "finance"), payers.approver("eve", "risk")
    payers.allow(ada=ada, eve=eve)
    action = payers.blocked()
    text = statement(first, action)
    refused(approve(first, action), 403, "signature_required")
    assert approve(first, action, ada.sign(text)).json["status"] == "BLOCKED"
    refused(approve(second, action), 403, "signature_required")
    refused(approve(second, action, ada.sign(text)), 403, "signer_not_allowed")
    assert approve(second, action, eve.sign(text)).json["status"] == "APPROVED"
    receipt = receipt_of(sluice, action)
    vote, = receipt["decision"]["vote_signatures"]
    last = receipt["decision"]["signature"]
    assert [vote["principal"], last["principal"]] == [payers.name("ada"), payers.name("eve")]
    for signed in (vote, last):
        assert verified(tmp_path, signed["principal"], signed["public_key"], signed["statement"], signed["signature"])
    proven, report = check(sluice, tmp_path, receipt)
    assert proven and report["signatures"] == 2


def test_rejecting_needs_no_signature_and_may_have_one(payers, ada, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    plain, signed = payers.blocked(), payers.blocked()
    assert api.post(path_of(plain) + "/reject", {"reason": "no"}).status == 200
    refused(api.post(path_of(signed) + "/reject", {"signature": ada.sign(statement(api, signed))}),
            422, "signature_invalid")
    answer = api.post(path_of(signed) + "/reject", {"signature": ada.sign(statement(api, signed, "reject"))})
    assert answer.status == 200, answer
    receipt = receipt_of(payers.sluice, signed)
    assert receipt["decision"]["outcome"] == "REJECTED" and "decision: reject\n" in receipt["decision"]["signature"]["statement"]
    assert check(payers.sluice, tmp_path, receipt)[0]


@pytest.mark.parametrize("base", ["/approvals/requests", "/governance/requests", "/api/v1/approvals/requests"])
def test_a_request_for_access_is_signed_with_what_it_grants(payers, ada, base, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    asked = payers.sluice.client().post("/approvals/requests", {
        "subject": f"ben-{next(numbers)}", "tool_id": "bank", "agent_id": payers.agent.name})
    request = asked.json["id"]

    def text(query=""):
        return api.get(f"{base}/{request}/statement?decision=approve{query}").json["statement"]

    assert f"request: {request}\n" in text() and "scope" not in text()
    wide = text("&scope=agent_user_ttl&duration=2h")
    assert wide.startswith("sluice-decision/2\n") and "\ntool-origin: http://127.0.0.1:" in wide
    assert wide.endswith("decision: approve\nscope: agent_user_ttl\nduration: 2h\ncovers: no call\n")
    grant = {"scope": "agent_user_ttl", "duration": "2h"}
    for signed, given in [(text(), grant), (wide, {}), (wide, grant | {"duration": "3h"})]:
        refused(api.post(f"{base}/{request}/approve", given | {"signature": ada.sign(signed)}), 422, "signature_invalid")
    answer = api.post(f"{base}/{request}/approve", grant | {"signature": ada.sign(wide)})
    assert answer.status == 200, answer
    receipt = api.get(f"{base}/{request}/receipt").json
    assert receipt["decision"]["signature"]["statement"] == wide
    assert check(payers.sluice, tmp_path, receipt)[0]


def test_a_grant_that_nobody_signed_does_not_stand_for_a_signature(payers, server, ada):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    user = f"cy-{next(numbers)}"

    def granted(**signature):
        request = payers.sluice.client().post("/approvals/requests", {
            "subject": user, "tool_id": "bank", "agent_id": payers.agent.name, "tool_method": "POST",
            "tool_url": server.url + "/pay"}).json["id"]
        text = api.get(f"/approvals/requests/{request}/statement?decision=approve&scope=agent_user_ttl").json["statement"]
        assert text.endswith("\ncovers: every call in any run that has all of the above\n")
        answer = api.post(f"/approvals/requests/{request}/approve", {
            "scope": "agent_user_ttl"} | ({"signature": ada.sign(text)} if signature else {}))
        assert answer.status == 200, answer

    granted()
    assert payers.agent.call(payers.agent.start(user), "POST", "bank", "/pay", b"1").code == "APPROVAL_REQUIRED"
    granted(signed=True)
    assert payers.agent.call(payers.agent.start(user), "POST", "bank", "/pay", b"2").status == 201


def test_a_request_of_a_run_is_approved_signed(payers, ada, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    action = payers.blocked()
    request, = payers.agent.requests(action["run_id"])
    path = f"/approvals/requests/{request['id']}"
    refused(api.post(path + "/approve", {}), 403, "signature_required")
    text = api.get(path + "/statement?decision=approve&scope=run").json["statement"]
    assert text.startswith(statement(api, action)) and "scope: run\n" in text
    answer = api.post(path + "/approve", {"scope": "run", "signature": ada.sign(text)})
    assert answer.status == 200, answer
    for receipt in (receipt_of(payers.sluice, action), api.get(path + "/receipt").json):
        assert receipt["decision"]["signature"]["statement"] == text
        assert check(payers.sluice, tmp_path, receipt)[0]
    assert payers.agent.call(action["run_id"], "POST", "bank", "/pay", b"another").status == 201, "the grant is signed"


def test_the_text_of_earlier_versions_is_signed_no_more(payers, ada):
    """It says neither what a client's own request states nor what its grant covers."""
    api = payers.approver("ada")
    payers.allow(ada=ada)
    request = payers.sluice.client().post("/approvals/requests", {
        "subject": "ben", "tool_id": "bank", "agent_id": payers.agent.name, "capability": "POST /pay"}).json["id"]
    path = f"/approvals/requests/{request}"
    text = api.get(path + "/statement?decision=approve&scope=agent_user_ttl&duration=1h").json["statement"]
    assert "\ncapability: POST /pay\n" in text
    earlier = "".join(
        line + "\n" for line in text.replace("sluice-decision/2", "sluice-decision/1").splitlines()
        if line.split(":")[0] not in ("tool-origin", "capability", "covers"))
    grant = {"scope": "agent_user_ttl", "duration": "1h"}
    for odd in (earlier, text.replace("covers: every", "covers: no"), text.replace("tool-origin: http", "tool-origin: https")):
        refused(api.post(path + "/approve", grant | {"signature": ada.sign(odd)}), 422, "signature_invalid")
    assert api.post(path + "/approve", grant | {"signature": ada.sign(text)}).status == 200


def test_a_link_shows_that_a_signature_is_needed_and_can_only_reject(payers, server):
    """What a message says, what its page offers, and what becomes of an approval that is sent all the same."""
    sluice, services = payers.sluice, Services()
    workspace = f"signed-{payers.number}"
    admin = sluice.client(sluice.key("admin", workspace))
    try:
        made = admin.post("/api/v1/approval-connectors", {"name": "ops", "endpoint": services.url + "/hooks/ops"})
        assert made.status == 201, made
        assert admin.post("/api/tools", {"name": "bank", "spec": {"connection": {"baseUrl": server.url}}}).status == 201
        assert admin.post("/api/policies", {"name": "rules", "spec": {
            "policies": [{"permission": "approval_required"}], "approvals": [{"requireSignature": True}]}}).status == 201
        assert admin.post("/api/deploy", {"agent_name": "payer", "image": "i", "policies": ["rules"]}).status == 201
        token = admin.post("/api/v1/auth/api-keys", {"name": "payer", "role": "agent", "agent": "payer"}).json["token"]
        run = admin.post("/runs", {"agent_id": "payer", "user_id": "ada"}).json["id"]
        agent = HTTPClient("127.0.0.1", sluice.port, None)
        assert agent.post(f"/as/{token}/egress/bank/pay", {"amount": 1}, {"X-Run-ID": run}).status == 403
        _, message, _ = services.next()
        link = link_in(message)
        assert link and message["data"]["signature_required"] is True
        path = link.removeprefix(sluice.url)
        page = agent.get(path).content.decode()
        assert "sluice approve" in page and 'value="reject"' in page and 'value="approve"' not in page
        shown = agent.get(path, {"Accept": "application/json"}).json
        assert shown["signature_required"] is True
        form = {"decision": "approve", "payload_hash": shown["payload_hash"]}
        error = refused(agent.post(path, form), 403, "signature_required")
        assert "links and buttons in messages cannot do" in error
        assert agent.post(path, form | {"decision": "reject"}).status == 200
        assert admin.get(f"/runs/{run}").json["status"] == "FAILED"
    finally:
        services.close()


def test_signers_are_checked_bounded_and_an_administrators(sluice, ada):
    api = sluice.client()
    for signers in [
            None, 7, [7], [{}], [{"principal": "a"}], [{"principal": "", "public_key": ada.line}],
            [{"principal": "a\nb", "public_key": ada.line}], [{"principal": "a", "public_key": "ssh-ed25519 AAAA"}],
            [{"principal": "a", "public_key": RSAKey(1024).line}], [{"principal": "a", "public_key": 7}],
            [{"principal": "a" * 300, "public_key": ada.line}], [{"principal": "a", "public_key": ada.line}] * 2,
            [{"principal": str(n), "public_key": ada.line} for n in range(1001)]]:
        answer = api.request("PUT", SIGNERS, {"signers": signers})
        assert answer.status == 400 and answer.json["error"], (signers, answer)
    for role in ("operator", "approver", "viewer", "agent"):
        assert sluice.client(sluice.key(role)).request("PUT", SIGNERS, {"signers": []}).status == 403
    assert sluice.client(sluice.key("viewer")).get(SIGNERS).status == 200


def command(payers, who, *arguments, **more):
    return subprocess.run(
        [payers.sluice.binary, *map(str, arguments), "--url", payers.sluice.url], capture_output=True, text=True,
        timeout=120, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "SLUICE_API_KEY": payers.keys[who]} | more)


def test_the_command_line_shows_signs_and_sends(payers, ada, tmp_path):
    api = payers.approver("ada")
    payers.allow(ada=ada)
    action = payers.blocked()
    of = ["--run", action["run_id"], "--action", action["action_id"]]
    plain = command(payers, "ada", "approve", *of)
    assert plain.returncode == 77 and "--sign-with" in plain.stderr, plain
    unasked = command(payers, "ada", "approve", *of, "--sign-with", ada.path)
    assert unasked.returncode == 78 and "--yes" in unasked.stderr and "decision: approve" in unasked.stderr
    missing = command(payers, "ada", "approve", *of, "--sign-with", tmp_path / "none", "--yes")
    assert missing.returncode == 78 and "nothing was sent" in missing.stderr
    done = command(payers, "ada", "approve", *of, "--sign-with", ada.path, "--yes", "--reason", "the invoice is right")
    assert (done.returncode, done.stdout) == (0, "APPROVED\n"), done
    assert statement(api, action) in done.stderr
    receipt = receipt_of(payers.sluice, action)
    assert receipt["decision"]["reason"] == "the invoice is right"
    assert check(payers.sluice, tmp_path, receipt)[0]

    other = payers.blocked()
    request, = payers.agent.requests(other["run_id"])
    done = command(payers, "ada", "reject", "--request", request["id"], "--sign-with", ada.path, "--yes", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "REJECTED", done
    assert receipt_of(payers.sluice, other)["decision"]["signature"]["principal"] == payers.name("ada")
    for wrong in [["approve"], ["approve", "--run", "x", "--action", "y"], ["reject", "--request", "x"],
                  ["approve", *of, "--scope", "run"], ["approve", *of, "--request", request["id"]]]:
        assert command(payers, "ada", *wrong).returncode == 64, wrong


def test_a_key_in_an_agent_signs_with_its_public_half(payers, ada, tmp_path):
    payers.approver("ada")
    payers.allow(ada=ada)
    action = payers.blocked()
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        environment = {"SSH_AUTH_SOCK": str(socket)}
        for _ in range(100):
            added = subprocess.run(["ssh-add", "-q", ada.path], env={"PATH": "/usr/bin:/bin"} | environment, timeout=60,
                                   capture_output=True)
            if added.returncode == 0:
                break
        assert added.returncode == 0, added
        public = tmp_path / "only.pub"
        public.write_text(ada.line + "\n")
        done = command(payers, "ada", "approve", "--run", action["run_id"], "--action", action["action_id"],
                       "--sign-with", public, "--yes", **environment)
        assert (done.returncode, done.stdout) == (0, "APPROVED\n"), done
    finally:
        agent.terminate()
        agent.wait(timeout=30)
