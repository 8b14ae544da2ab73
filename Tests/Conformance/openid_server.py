"""An OpenID Connect provider by Authlib, at which people sign in: discovery, authorization code with PKCE, ID tokens."""

import threading

import jwt
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify
from werkzeug.serving import make_server

from identity_server import Key
from oauth_server import Client, Code


class SignInCode(Code):
    def __init__(self, request):
        super().__init__(request)
        self.nonce = request.payload.data.get("nonce")

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return None

    def get_acr(self):
        return None

    def get_amr(self):
        return None


class OpenIDServer:
    """`user` is the person at the page, `None` one who declines. `claims` change the next ID tokens; `None` removes one."""

    def __init__(self, client_id, secret, redirect_uri):
        self.client, self.key = Client(client_id, secret, redirect_uri), Key("k1", "RS256")
        self.user, self.claims, self.issuer_said = None, {}, None
        self.codes, self.grants, self.server = {}, [], None
        outer = self

        class SignInGrant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

            def save_authorization_code(self, code, request):
                outer.codes[code] = SignInCode(request)

            def query_authorization_code(self, code, client):
                return outer.codes.get(code)

            def delete_authorization_code(self, authorization_code):
                outer.codes = {code: each for code, each in outer.codes.items() if each is not authorization_code}

            def authenticate_user(self, authorization_code):
                return authorization_code.user

        class IdentityTokens(OpenIDCode):
            def exists_nonce(self, nonce, request):
                return False

            def get_client_algorithm(self, client):
                return outer.key.algorithm

            def get_client_claims(self, client):
                return {"iss": outer.url, "aud": [client.get_client_id()]}

            def get_encode_header(self, client):
                return {"alg": outer.key.algorithm, "kid": outer.key.id}

            def resolve_client_private_key(self, client):
                return outer.key.pem

            def generate_user_info(self, user, scope):
                return {"sub": f"sub-of-{user}", "email": user}

            def encode_id_token(self, token, request):
                text = super().encode_id_token(token, request)
                if not outer.claims:
                    return text
                claims = jwt.decode(text, options={"verify_signature": False}) | outer.claims
                return jwt.encode(
                    {name: value for name, value in claims.items() if value is not None}, outer.key.private,
                    outer.key.algorithm, headers={"kid": outer.key.id})

        app = Flask("openid")
        server = AuthorizationServer(
            app, query_client=lambda client_id: self.client if client_id == self.client.client_id else None,
            save_token=lambda token, request: outer.grants.append(request.payload.grant_type))
        server.register_grant(SignInGrant, [IdentityTokens(require_nonce=True), CodeChallenge(required=True)])

        @app.get("/authorize")
        def authorize():
            grant = server.get_consent_grant(end_user=outer.user)
            return server.create_authorization_response(grant_user=outer.user, grant=grant)

        @app.post("/token")
        def issue():
            return server.create_token_response()

        @app.get("/keys")
        def keys():
            return jsonify({"keys": [outer.key.document]})

        @app.get("/.well-known/openid-configuration")
        def discovery():
            return jsonify({
                "issuer": outer.issuer_said or outer.url, "authorization_endpoint": outer.url + "/authorize",
                "token_endpoint": outer.url + "/token", "jwks_uri": outer.url + "/keys"})

        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def spec(self, named=False):
        """The identity provider as it is stored; `named` leaves nothing to discovery."""
        settings = {
            "issuer": self.url, "jwksUri": self.url + "/keys", "audiences": ["applications"],
            "clientId": self.client.client_id, "clientSecret": self.client.secret}
        if named:
            settings |= {"authorizationEndpoint": self.url + "/authorize", "tokenEndpoint": self.url + "/token"}
        return {"host": "corp.test", "userIDClaim": "email", "identityProvider": settings}

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
