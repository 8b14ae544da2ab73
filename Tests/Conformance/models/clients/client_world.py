"""A daemon with a provider of every kind, and the published clients that ask it, each in its own environment."""

import functools
import json
import pathlib
import re
import subprocess

from models.clients.strict_providers import KINDS, PROVIDERS
from sluice_process import ROOT

DRIVERS = pathlib.Path(__file__).parent / "drivers"
REQUIREMENTS = ROOT / "Tests/Conformance/frameworks/requirements"
SECONDS_MAX = 120
# One call costs above this.
BUDGET_USD = 0.001


class ModelClient:
    """A published package that asks for models.

    - Parameters:
      - name: of the driver's class.
      - lacks: facts that the package does not show.
      - errors: the package's own class of errors, for scenarios that fail, and for one kind of provider as `…_by_kind`.
    """

    def __init__(self, name, driver, environment, lacks=(), **errors):
        self.name, self.driver, self.environment, self.lacks, self.errors = name, driver, environment, set(lacks), errors
        self.package = name.split(",")[0]

    @property
    def title(self):
        """The name with the version that the tests install."""
        pinned = (REQUIREMENTS / f"{self.environment}.txt").read_text()
        name = {"pydantic-ai": "pydantic-ai-slim"}.get(self.package, self.package)
        version = re.search(rf"(?m)^{re.escape(name)}==(\S+)$", pinned)[1]
        package, _, form = self.name.partition(",")
        return f"`{package}` {version}" + (f",{form}" if form else "")


class ClientWorld:
    """The providers answer by scenario, so every client asks the same ones."""

    def __init__(self, sluice):
        self.sluice = sluice
        self.api = sluice.client()
        self.providers = {provider.kind: provider() for provider in PROVIDERS}
        for kind, provider in self.providers.items():
            self.register(kind, provider)
        self.key = sluice.key("agent")
        self.limited_key = self.spend()

    def register(self, kind, provider):
        models = [model for model in (provider.model, provider.embedding_model) if model]
        prices = {"input_per_million_usd": 100, "output_per_million_usd": 1000}
        answer = self.api.post("/api/v1/model-providers", {
            "name": f"the-{kind}", "credentials": provider.credentials, "spec": provider.spec(provider.model) | {
                "models": models, "prices": {model: prices for model in models}}})
        assert answer.status == 201, answer

    def spend(self):
        """The key of an agent that has spent its budget of every model."""
        budgets = [{"role": kind, "provider": kind, "model": provider.model, "monthly_budget_usd": BUDGET_USD}
                   for kind, provider in self.providers.items()]
        answer = self.api.post("/api/v1/deploy", {
            "agent_name": "spender", "image": "registry.test/spender:1", "llm_configs": budgets})
        assert answer.status == 201, answer
        answer = self.api.post("/api/v1/auth/api-keys", {"name": "spender", "role": "agent", "agent": "spender"})
        assert answer.status == 201, answer
        key = answer.json["token"]
        for provider in self.providers.values():
            answer = self.sluice.client(key).post("/v1/chat/completions", {
                "model": provider.model, "messages": [{"role": "user", "content": "Say hello."}]})
            assert answer.status == 200, answer
        return key

    @functools.cache
    def found(self, driver, environment):
        """The facts that a driver reports, by client, kind and scenario."""
        python = ROOT / f".venv/frameworks-{environment}/bin/python"
        assert python.exists(), f"{environment} is not installed: run `make clients`"
        world = {
            "url": self.sluice.url, "key": self.key, "limited_key": self.limited_key,
            "models": {kind: provider.model for kind, provider in self.providers.items()},
            "embedding_models": {kind: provider.embedding_model for kind, provider in self.providers.items()}}
        ended = subprocess.run(
            [python, "-W", "ignore", DRIVERS / f"drive_{driver}.py", json.dumps(world)],
            capture_output=True, text=True, timeout=SECONDS_MAX, env={
                "PATH": "/usr/bin:/bin", "HOME": str(self.sluice.directory), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "PYTHONDONTWRITEBYTECODE": "1", "LANGSMITH_TRACING": "false"})
        assert ended.returncode == 0, ended.stderr[-4000:]
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"client"')]
        return {(line["client"], line["kind"], line["scenario"]): line["found"] for line in lines}

    def close(self):
        for provider in self.providers.values():
            provider.close()


OPENAI = {"refused": "BadRequestError", "limited": "RateLimitError", "broken": "APIError", "budget": "APIStatusError"}
ANTHROPIC = OPENAI | {"broken": "APIStatusError", "budget": "PaymentRequiredError"}
PYDANTIC_AI = {"refused": "ModelRequestRejectedError", "limited": "ModelRateLimitError", "broken": "ModelAPIError",
               "budget": "ModelQuotaExceededError"}
LITELLM = OPENAI | {"broken": "MidStreamFallbackError"}
CLIENTS = [
    ModelClient("openai", "openai", "loops", **OPENAI),
    ModelClient("openai, Responses", "openai_responses", "loops", **OPENAI),
    ModelClient("openai, Azure", "openai", "loops", **OPENAI),
    ModelClient("anthropic", "anthropic", "loops", **ANTHROPIC),
    ModelClient("openai-agents", "openai_agents", "openai_agents", lacks=["reason"], **OPENAI),
    ModelClient("openai-agents, Responses", "openai_agents_responses", "openai_agents", lacks=["reason"], **OPENAI),
    ModelClient("langchain-openai", "langchain", "langgraph", **OPENAI | {
        "refused": "OpenAIInvalidRequestError", "limited": "OpenAIRateLimitError"}),
    ModelClient("langchain-openai, Responses", "langchain", "langgraph", lacks=["reason"], **OPENAI | {
        "refused": "OpenAIInvalidRequestError", "limited": "OpenAIRateLimitError"}),
    ModelClient("langchain-anthropic", "langchain", "langgraph", **ANTHROPIC | {
        "refused": "AnthropicInvalidRequestError", "limited": "AnthropicRateLimitError"}),
    ModelClient("langgraph", "langchain", "langgraph", lacks=["reason", "usage"], refused="OpenAIInvalidRequestError"),
    ModelClient("pydantic-ai, OpenAI", "pydantic_ai", "pydantic_ai", **PYDANTIC_AI),
    ModelClient("pydantic-ai, Responses", "pydantic_ai", "pydantic_ai", **PYDANTIC_AI | {"broken": "ModelServerError"}),
    ModelClient("pydantic-ai, Anthropic", "pydantic_ai", "pydantic_ai", **PYDANTIC_AI | {
        "broken": "ModelServerError", "broken_by_anthropic": "ModelOverloadedError"}),
    ModelClient("litellm, OpenAI", "litellm", "litellm", **LITELLM | {"budget": "APIError"}),
    ModelClient("litellm, Anthropic", "litellm", "litellm", lacks=["retry_after"], **LITELLM | {
        "budget": "PaymentRequiredError"}),
]
