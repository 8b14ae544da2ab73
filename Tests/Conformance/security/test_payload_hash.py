"""An approval is bound to every byte of the approved payload's hash, not to the beginning of it."""

import hashlib

from sluice_process import ADMIN_KEY

HASH = hashlib.sha256(b'{"amount": 100}').hexdigest()


def block(api):
    run = api.post("/runs", {"agent_id": "payer", "user_id": "u"}).json["id"]
    blocked = api.post(f"/runs/{run}/actions", {"tool_id": "bank", "payload_hash": f"sha256:{HASH}"})
    assert blocked.status == 201, blocked
    return f"/runs/{run}/actions/{blocked.json['action_id']}/approve"


def test_a_hash_that_differs_in_any_digit_approves_nothing(sluice):
    api = sluice.client(ADMIN_KEY)
    approve = block(api)
    for position, digit in enumerate(HASH):
        other = HASH[:position] + format(int(digit, 16) ^ 1, "x") + HASH[position + 1:]
        answer = api.post(approve, {"payload_hash": f"sha256:{other}"})
        assert answer.status == 409 and "payload_hash mismatch" in answer.json["error"], (position, answer)
    assert api.post(approve, {"payload_hash": f"sha256:{HASH}"}).status == 200


def test_the_beginning_of_a_hash_and_a_longer_hash_approve_nothing(sluice):
    api = sluice.client(ADMIN_KEY)
    approve = block(api)
    for other in [HASH[:20], HASH[:40], HASH[:-1], HASH + "0", HASH + HASH, ""]:
        answer = api.post(approve, {"payload_hash": f"sha256:{other}"})
        assert answer.status == 409, (other, answer)
