"""SSH keys that sign decisions: OpenSSH's own, and security keys in software (PROTOCOL.sshsig, PROTOCOL.u2f).

As a program it writes the vectors of Tests/Fixtures/ssh-signatures.json, each checked by `ssh-keygen -Y verify`.
"""

import base64
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

NAMESPACE = "sluice-decision"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(value)) + value


def integer(value):
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def armored(blob):
    text = base64.b64encode(blob).decode()
    return "\n".join([BEGIN, *(text[at:at + 70] for at in range(0, len(text), 70)), END, ""])


def unarmored(text):
    return base64.b64decode("".join(text.strip().splitlines()[1:-1]))


class KeyFile:
    """A key that ssh-keygen made."""

    def __init__(self, directory, name, *options):
        self.path = pathlib.Path(directory) / name
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", name, "-f", self.path, *options], check=True, timeout=120)
        self.line = self.path.with_suffix(".pub").read_text().strip()

    def sign(self, text, namespace=NAMESPACE, *options):
        done = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", self.path, *options], input=text.encode(),
            capture_output=True, check=True, timeout=60)
        return done.stdout.decode()


class SoftwareKey:
    """A key whose signatures are made here, so that they can be made otherwise than ssh-keygen would."""

    def sign(self, text, namespace=NAMESPACE, hash_name="sha512", reserved=b"", version=1, **how):
        digest = hashlib.new(hash_name, text.encode()).digest()
        rest = string(namespace) + string(reserved) + string(hash_name)
        signature = self.signature(b"SSHSIG" + rest + string(digest), **how)
        return armored(b"SSHSIG" + struct.pack(">I", version) + string(self.blob) + rest + string(signature))

    @property
    def line(self):
        return f"{self.kind} {base64.b64encode(self.blob).decode()} software"


class RSAKey(SoftwareKey):
    kind = "ssh-rsa"

    def __init__(self, bits=2048):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        numbers = self.key.public_key().public_numbers()
        self.blob = string(self.kind) + integer(numbers.e) + integer(numbers.n)

    def signature(self, message, algorithm="rsa-sha2-256"):
        chosen = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512(), "ssh-rsa": hashes.SHA1()}[algorithm]
        return string(algorithm) + string(self.key.sign(message, padding.PKCS1v15(), chosen))


class SecurityKey(SoftwareKey):
    """What a FIDO token does: it signs the application, whether somebody touched it, and a counter with the message."""

    application = "ssh:"

    def __init__(self):
        self.counter = 7

    def signature(self, message, flags=1, application=None):
        self.counter += 1
        application = self.application if application is None else application
        signed = (hashlib.sha256(application.encode()).digest() + struct.pack(">BI", flags, self.counter)
                  + hashlib.sha256(message).digest())
        return string(self.kind) + string(self.raw(signed)) + struct.pack(">BI", flags, self.counter)


class Ed25519SecurityKey(SecurityKey):
    kind = "sk-ssh-ed25519@openssh.com"

    def __init__(self):
        super().__init__()
        self.key = ed25519.Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.blob = string(self.kind) + string(public) + string(self.application)

    def raw(self, signed):
        return self.key.sign(signed)


class P256SecurityKey(SecurityKey):
    kind = "sk-ecdsa-sha2-nistp256@openssh.com"

    def __init__(self):
        super().__init__()
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.blob = string(self.kind) + string("nistp256") + string(point) + string(self.application)

    def raw(self, signed):
        r, s = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return integer(r) + integer(s)


def verified(directory, principal, line, text, signature, namespace=NAMESPACE):
    """What `ssh-keygen -Y verify` says: whether it is that principal's signature of the text."""
    directory = pathlib.Path(directory)
    (directory / "allowed_signers").write_text(f"{principal} namespaces=\"{namespace}\" {line}\n")
    (directory / "signature").write_text(signature)
    return subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", directory / "allowed_signers", "-I", principal, "-n", namespace,
         "-s", directory / "signature"], input=text.encode(), capture_output=True, timeout=60).returncode == 0


STATEMENT = """sluice-decision/1
workspace: default
run: 01938f2a-7b5c-7001-9c4e-000000010001
action: 01938f2a-7b5c-7002-9c4e-000000020002
tool: bank
method: POST
url: https://bank.test/pay
payload-hash: sha256:""" + "ab" * 32 + "\ndecision: approve\n"


def vectors(directory):
    files = {
        "ed25519": ["-t", "ed25519"], "ecdsa-p256": ["-t", "ecdsa", "-b", "256"],
        "ecdsa-p384": ["-t", "ecdsa", "-b", "384"], "ecdsa-p521": ["-t", "ecdsa", "-b", "521"],
        "rsa-3072-sha512": ["-t", "rsa", "-b", "3072"]}
    keys = {name: KeyFile(directory, name, *options) for name, options in files.items()}
    good = {name: (key, key.sign(STATEMENT)) for name, key in keys.items()}
    good["ed25519-sha256"] = (keys["ed25519"], keys["ed25519"].sign(STATEMENT, NAMESPACE, "-O", "hashalg=sha256"))
    key = RSAKey()
    good["rsa-2048-sha256"] = (key, key.sign(STATEMENT, algorithm="rsa-sha2-256"))
    for name, key in [("sk-ed25519", Ed25519SecurityKey()), ("sk-ecdsa-p256", P256SecurityKey())]:
        good[name] = (key, key.sign(STATEMENT))
    for name, (key, signature) in good.items():
        assert verified(directory, "ada", key.line, STATEMENT, signature), name
    weak, token = RSAKey(1024), Ed25519SecurityKey()
    bad = {
        "rsa-sha1": (key := RSAKey(), key.sign(STATEMENT, algorithm="ssh-rsa")),
        "rsa-1024": (weak, weak.sign(STATEMENT)),
        "sk-untouched": (token, token.sign(STATEMENT, flags=4)),
        "sk-other-application": (token, token.sign(STATEMENT, application="ssh:other")),
        "other-namespace": (keys["ed25519"], keys["ed25519"].sign(STATEMENT, "file")),
        "other-text": (keys["ed25519"], keys["ed25519"].sign(STATEMENT.replace("approve", "reject"))),
        "sha1-hash": (token, token.sign(STATEMENT, hash_name="sha1")),
        "version-2": (token, token.sign(STATEMENT, version=2)),
    }
    return {"namespace": NAMESPACE, "statement": STATEMENT, **{
        kind: [{"name": name, "public_key": key.line, "signature": signature} for name, (key, signature) in all.items()]
        for kind, all in [("good", good), ("bad", bad)]}}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        json.dump(vectors(scratch), sys.stdout, indent=1)
        print()
