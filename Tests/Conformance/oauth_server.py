"""An OAuth2 server by Authlib, for people who consent: authorization code with PKCE, refresh tokens that are good once."""

import os
import threading
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, request
from werkzeug.serving import make_server

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


class Client(ClientMixin):
    def __init__(self, client_id, secret, redirect_uri):
        self.client_id, self.secret, self.redirect_uri = client_id, secret, redirect_uri

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uri

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret):
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


class Code:
    def __init__(self, request):
        payload = request.payload
        self.client_id, self.user = request.client.client_id, request.user
        self.redirect_uri, self.scope = payload.redirect_uri, payload.scope
        self.code_challenge = payload.data.get("code_challenge")
        self.code_challenge_method = payload.data.get("code_challenge_method")

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Token:
    def __init__(self, token, user, client):
        self.access_token, self.refresh_token = token["access_token"], token.get("refresh_token")
        self.scope, self.user, self.client = token.get("scope", ""), user, client

    def check_client(self, client):
        return client.get_client_id() == self.client.get_client_id()

    def get_scope(self):
        return self.scope


class OAuthServer:
    """`user` is who is signed in at the page; `consents` whether they agree. `tokens` are all that were given."""

    def __init__(self, client_id, secret, redirect_uri, lifetime=3600):
        self.client = Client(client_id, secret, redirect_uri)
        self.user, self.consents, self.lifetime = "ada", True, lifetime
        self.codes, self.tokens, self.grants = {}, [], []
        # The answer to refreshes instead, as (body, status).
        self.refusal = None
        outer = self

        class CodeGrant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

            def save_authorization_code(self, code, request):
                outer.codes[code] = Code(request)

            def query_authorization_code(self, code, client):
                return outer.codes.get(code)

            def delete_authorization_code(self, authorization_code):
                outer.codes = {code: each for code, each in outer.codes.items() if each is not authorization_code}

            def authenticate_user(self, authorization_code):
                return authorization_code.user

        class RefreshGrant(grants.RefreshTokenGrant):
            INCLUDE_NEW_REFRESH_TOKEN = True

            def authenticate_refresh_token(self, refresh_token):
                return next((each for each in outer.tokens if each.refresh_token == refresh_token), None)

            def authenticate_user(self, credential):
                return credential.user

            def revoke_old_credential(self, credential):
                credential.refresh_token = None

        app = Flask("oauth")
        server = AuthorizationServer(
            app, query_client=lambda client_id: self.client if client_id == self.client.client_id else None,
            save_token=lambda token, request: outer.tokens.append(Token(token, request.user, request.client)))
        server.register_grant(CodeGrant, [CodeChallenge(required=True)])
        server.register_grant(RefreshGrant)
        server.register_token_generator("default", self.new_token)

        @app.get("/authorize")
        def authorize():
            grant = server.get_consent_grant(end_user=outer.user)
            return server.create_authorization_response(grant_user=outer.user if outer.consents else None, grant=grant)

        @app.post("/token")
        def issue():
            if outer.refusal and request.form["grant_type"] == "refresh_token":
                return outer.refusal
            return server.create_token_response()

        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def new_token(self, grant_type, client, user=None, scope=None, expires_in=None, include_refresh_token=True):
        self.grants.append(grant_type)
        number = f"{len(self.grants)}-{time.monotonic_ns()}"
        return {
            "token_type": "Bearer", "access_token": f"planted-access-{user}-{number}",
            "refresh_token": f"planted-refresh-{user}-{number}", "expires_in": self.lifetime, "scope": scope or ""}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def is_good(self, access_token):
        return any(each.access_token == access_token for each in self.tokens)

    def forget(self):
        """Nobody's consent holds any more."""
        self.tokens.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

