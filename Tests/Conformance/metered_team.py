"""A workspace with a model whose prices are known, and an agent that asks it."""

import itertools
import json

import openai
import pytest

from scripted_model import ScriptedModel

ASK = [{"role": "user", "content": "a question"}]
PRICES = {"input_per_million_usd": 100, "output_per_million_usd": 1000}
numbers = itertools.count()


class MeteredTeam:
    """One call with the model's usual usage, 7 and 5 tokens, costs 0.0057 USD."""

    cost = 0.0057

    def __init__(self, sluice, **deploy):
        self.sluice, self.model = sluice, ScriptedModel()
        self.workspace, self.agent, self.model_name = f"team-{next(numbers)}", "payer", "m"
        self.base = f"/api/v1/workspaces/{self.workspace}"
        self.api = sluice.client()
        self.provide()
        self.deploy(**deploy)
        answer = self.post("/auth/api-keys", {"name": "payer", "role": "agent", "agent": self.agent,
                                              "workspace": self.workspace})
        assert answer.status == 201, answer
        self.key = answer.json["token"]

    def get(self, path):
        return self.api.get(self.base + path)

    def post(self, path, body=None):
        return self.api.post(self.base + path, body)

    def provide(self, name="p", prices=PRICES, **spec):
        answer = self.post("/model-providers", {"name": name, "spec": {
            "provider": "vllm", "endpoint": self.model.url, "models": [self.model_name],
            "prices": {self.model_name: prices} if prices else {}} | spec})
        assert answer.status == 201, answer

    def deploy(self, **more):
        answer = self.post("/deploy", {"agent_name": self.agent, "image": "registry.test/payer:1"} | more)
        assert answer.status == 201, answer

    def sdk(self, key=None, headers=None):
        return openai.OpenAI(base_url=self.sluice.url + self.base, api_key=key or self.key, max_retries=0, timeout=30,
                             default_headers=headers)

    def ask(self, headers=None, key=None, **more):
        return self.sdk(key, headers).chat.completions.create(model=self.model_name, messages=ASK, **more)

    def usage(self, group="agent", query=""):
        answer = self.get(f"/model-usage?group_by={group}{query}")
        assert answer.status == 200, answer
        return {row[group]: row for row in answer.json["rows"]}

    def spend(self):
        answer = self.get("/model-spend")
        assert answer.status == 200, answer
        return answer.json

    def events(self):
        """What the log has of calls of models, oldest first."""
        answer = self.sluice.run("log", "cat", "--data-dir", self.sluice.data)
        assert answer.returncode == 0, answer.stderr
        # Not `splitlines`: others' texts may hold what Unicode calls the end of a line.
        events = [json.loads(line) for line in answer.stdout.split("\n")[:-1]]
        return [event for event in events
                if event["workspace"] == self.workspace and event["type"].startswith("model_call.")]


@pytest.fixture
def make_team(sluice):
    made = []

    def make(**deploy):
        made.append(MeteredTeam(sluice, **deploy))
        return made[-1]
    yield make
    for team in made:
        team.model.close()


@pytest.fixture
def team(make_team):
    return make_team()
