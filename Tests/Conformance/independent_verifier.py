"""Checks an export or a receipt with no code of Sluice: the standard library and an Ed25519. Usage: FILE KEY"""

import base64
import hashlib
import json
import sys
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data):
    return hashlib.sha256(data).digest()


def checkpoint_root(note, vkey):
    """The size and root that the note's signature is for (C2SP signed-note, tlog-checkpoint)."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    assert key[0] == 1 and sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "no key of Ed25519"
    text, signatures = note.split("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash == "\u2014" and signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            assert origin == name
            return int(size), base64.b64decode(root, validate=True)
    raise AssertionError("not signed by this key")


def root_of(index, size, node, proof):
    """RFC 9162, section 2.1.3.2."""
    assert index < size
    last = size - 1
    for sibling in proof:
        assert last > 0, "the proof is too long"
        if index & 1 or index == last:
            node = sha256(b"\1" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    assert last == 0, "the proof is too short"
    return node


def fields(record):
    """The members of a protobuf message: number to the values in order."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (record[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if record[at - 1] < 128:
                return value
    at, found = 0, {}
    while at < len(record):
        tag = varint()
        kind = tag & 7
        length = varint() if kind in (0, 2) else {1: 8, 5: 4}[kind]
        value, at = (length, at) if kind == 0 else (record[at:at + length], at + length)
        found.setdefault(tag >> 3, []).append(value)
    return found


def verify(lines, vkey):
    """The events that are proven, as their records say: position, id, stream's id and sequence."""
    root, proven = None, []

    def take(document):
        nonlocal root
        parts = [document] + [document[name] for name in ("data", "event", "unmapped") if isinstance(document.get(name), dict)]
        part = next(part for part in parts if "checkpoint" in part or "record" in part)
        if "checkpoint" in part:
            root = checkpoint_root(part["checkpoint"], vkey)
            return [take(event) for event in part.get("events", [])]
        record = base64.b64decode(part["record"], validate=True)
        proof = [base64.b64decode(each, validate=True) for each in part["inclusion"]]
        assert root_of(part["leaf_index"], root[0], sha256(b"\0" + record), proof) == root[1], "not in the log"
        envelope, said = fields(record), part["event"]
        assert said["position"] == part["leaf_index"] + 1 and said["id"] == str(uuid.UUID(bytes=bytes(envelope[2][0])))
        seals = {fields(seal)[2][0] for seal in envelope.get(14, [])}
        assert all(sha256(b"\0" + base64.b64decode(each)) in seals for each in part.get("disclosed", [])), "not what was sealed"
        assert said["stream"].endswith(str(uuid.UUID(bytes=bytes(envelope[6][0])))), "of another stream"
        proven.append((said["position"], said["id"], said["stream"], envelope[7][0]))

    try:
        take(json.loads("\n".join(lines)))
    except json.JSONDecodeError:
        for line in lines:
            take(json.loads(line))
    return proven


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(len(verify(file.read().rstrip("\n").split("\n"), sys.argv[2])), "events proven")
