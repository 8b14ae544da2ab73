"""Models of scripted providers of each kind, for tests of callers that speak one format to all of them."""

import base64
import itertools

import pytest

from scripted_provider import Anthropic, Bedrock, Ollama, OpenAI

TRANSLATED = [Anthropic, Bedrock, Ollama]
"""The providers whose formats are not OpenAI's."""
EVERY = [OpenAI, *TRANSLATED]
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG an image").decode()
numbers = itertools.count()


def provider_of(model):
    """The name of the provider that `store` registers for the model."""
    return "of-" + model.replace(":", "-").replace("/", "-")


def each_of(kinds):
    """A fixture: a provider of each of the kinds."""
    @pytest.fixture(params=kinds, ids=lambda kind: kind.kind)
    def provider(request):
        provider = request.param()
        yield provider
        provider.close()
    return provider


@pytest.fixture
def store(api):
    """Registers a provider; returns the name of its model, which is one of a kind."""
    def store(provider, model=None, name=None, **spec):
        model = model or f"model:{next(numbers)}"
        answer = api.post("/api/v1/model-providers", {
            "name": name or provider_of(model), "credentials": provider.credentials,
            "spec": provider.spec(model) | spec})
        assert answer.status == 201, answer
        return model
    return store
