"""An identity provider: mints tokens by PyJWT, and serves its keys over HTTP, counting who asks."""

import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://id.corp.test"
AUDIENCE = "sluice"


class Key:
    """A signing key with its id, for one algorithm or for the algorithms of its kind."""

    def __init__(self, key_id, algorithm, says_algorithm=True):
        self.id, self.algorithm = key_id, algorithm
        if algorithm.startswith("ES"):
            curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[algorithm]
            self.private, encode = ec.generate_private_key(curve()), ECAlgorithm.to_jwk
        elif algorithm == "EdDSA":
            self.private, encode = ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm.to_jwk
        else:
            self.private, encode = rsa.generate_private_key(65537, 2048), RSAAlgorithm.to_jwk
        document = json.loads(encode(self.private.public_key()))
        document.pop("key_ops", None)
        self.document = document | {"use": "sig"} | ({"kid": key_id} if key_id else {})
        if says_algorithm:
            self.document["alg"] = algorithm

    @property
    def pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class IdentityServer:
    """`keys` are what it publishes now; `requests` counts how often it was asked."""

    def __init__(self, *keys):
        self.keys = list(keys) or [Key("k1", "RS256")]
        self.requests = 0
        self.status = 200
        self.server = None
        self.port = 0
        self.start()

    def start(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.requests += 1
                content = json.dumps({"keys": [key.document for key in provider.keys]}).encode()
                self.send_response(provider.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/keys"

    def spec(self, issuer=ISSUER, **more):
        return {"host": "corp.test", "userIDClaim": "email", "identityProvider": {
            "issuer": issuer, "jwksUri": self.url, "audiences": [AUDIENCE]}} | more

    def claims(self, user="ada@corp.test", **more):
        """What a right token says; a claim that is `None` is left out."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"sub-of-{user}", "email": user, "iat": now, "exp": now + 600}
        return {name: value for name, value in (claims | more).items() if value is not None}

    def token(self, user="ada@corp.test", key=None, algorithm=None, **more):
        key = key or self.keys[0]
        return jwt.encode(
            self.claims(user, **more), key.private, algorithm or key.algorithm,
            headers={"kid": key.id} if key.id else {})
