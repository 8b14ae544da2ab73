"""A tool that acts for people, an authorization server that gives it their tokens, and an agent that may call it."""

import json
import secrets

from browser import Browser
from governed_agent import GovernedAgent, store_tool
from oauth_server import OAuthServer
from scripted_tool import ScriptedTool
from sluice_process import SluiceProcess

SECRET = "planted-client-secret-" + secrets.token_hex(12)


def follow(url, browser):
    """What a browser gets: (status, location, page, headers)."""
    page = browser.open(url)
    return page.status, page.location, page.text, dict(page.headers)


def consent(link, browser=None):
    """A person opens the link, agrees or not, and is sent back; the last page's status and text."""
    browser = browser or Browser()
    status, page, _, _ = follow(link, browser)
    assert status == 302, status
    status, back, text, _ = follow(page, browser)
    assert status == 302, text
    status, _, text, _ = follow(back, browser)
    return status, text


class World:
    """A daemon, an identity provider, a tool that takes its tokens alone, and an agent that may call it."""

    def __init__(self, directory, **settings):
        self.sluice = SluiceProcess(directory, {"SLUICE_LOG_LEVEL": "trace"} | settings).start()
        self.oauth = OAuthServer("sluice-client", SECRET, self.sluice.url + "/oauth/callback")
        self.tool = ScriptedTool()
        self.tool.answer = self.answer
        self.connect()
        self.agent = GovernedAgent(self.sluice, "mailer", [
            ("allow", ["GET"], self.tool.url + "/*"), ("approval_required", ["POST"], self.tool.url + "/*")])

    def connect(self, **more):
        store_tool(self.sluice, "mail", self.tool.url, {"authentication": {
            "type": "OAuth2", "oauth2Config": {
                "authUrl": self.oauth.url + "/authorize", "tokenUrl": self.oauth.url + "/token",
                "scopes": ["mail.read", "mail.send"], "authParams": {"access_type": "offline"}} | more}},
            credentials={"client_id": "sluice-client", "client_secret": SECRET})

    def answer(self, call):
        bearer, = call.header("authorization") or [""]
        if not self.oauth.is_good(bearer.removeprefix("Bearer ")):
            return 401, [], b"who are you?"
        return 200, [("Content-Type", "application/json")], json.dumps({"heard": bearer.split("-")[2]}).encode()

    def waiting(self, run, action):
        """The action, as the run's own agent sees it."""
        return self.sluice.client(self.agent.token).get(f"/runs/{run}/actions/{action}").json

    def asked(self, run, method="GET", body=None):
        answer = self.agent.call(run, method, "mail", "/inbox", body)
        assert (answer.status, answer.code) == (403, "CONSENT_REQUIRED"), answer
        return answer.json

    def close(self):
        self.oauth.close()
        self.tool.close()
        assert self.sluice.stop() == 0
