import asyncio

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from cities import City
from scenarios import PROMPTS, Asking, call_facts, forecast, run, text_facts


def weather(city: str) -> str:
    """Tells the weather."""
    return forecast(city)


class PydanticAI(Asking):
    def ask(self, scenario, key=None, **more):
        async def ask():
            return await Agent(self.chat(key), **more).run(PROMPTS[scenario])
        return asyncio.run(ask())

    def stream(self, scenario, **more):
        async def read():
            async with Agent(self.chat(), **more).run_stream(PROMPTS[scenario]) as result:
                pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
                return result, pieces
        return asyncio.run(read())

    def facts(self, text, result, pieces=None):
        response = result.all_messages()[-1]
        return text_facts(
            text, [response.usage.input_tokens, response.usage.output_tokens], response.finish_reason, pieces)

    def calls(self, text, result):
        return call_facts([
            [part.tool_name, part.args_as_dict()] for message in result.all_messages()
            if isinstance(message, ModelResponse) for part in message.parts if isinstance(part, ToolCallPart)], text)

    def whole(self):
        result = self.ask("whole")
        return self.facts(result.output, result)

    def streamed(self):
        result, pieces = self.stream("streamed")
        return self.facts("".join(pieces), result, len(pieces))

    def tool(self):
        result = self.ask("tool", tools=[weather])
        return self.calls(result.output, result)

    def parallel(self):
        result, pieces = self.stream("parallel", tools=[weather])
        return self.calls("".join(pieces), result)

    def structured(self):
        return {"value": self.ask("structured", output_type=City).output.model_dump()}

    def cut(self):
        result = self.ask("cut")
        return text_facts(result.output, reason=result.all_messages()[-1].finish_reason)

    def refused(self):
        return self.ask("refused")

    def limited(self):
        return self.ask("limited")

    def broken(self):
        return self.stream("broken")

    def budget(self):
        return self.ask("budget", self.limited_key)


class PydanticAIOpenAI(PydanticAI):
    name = "pydantic-ai, OpenAI"
    model_of = OpenAIChatModel

    def chat(self, key=None):
        client = AsyncOpenAI(base_url=f"{self.url}/v1", api_key=key or self.key, max_retries=0, timeout=60)
        return self.model_of(self.model, provider=OpenAIProvider(openai_client=client))


class PydanticAIResponses(PydanticAIOpenAI):
    name = "pydantic-ai, Responses"
    model_of = OpenAIResponsesModel


class PydanticAIAnthropic(PydanticAI):
    name = "pydantic-ai, Anthropic"

    def chat(self, key=None):
        client = AsyncAnthropic(base_url=self.url, api_key=key or self.key, max_retries=0, timeout=60)
        return AnthropicModel(self.model, provider=AnthropicProvider(anthropic_client=client))


run(PydanticAIOpenAI, PydanticAIResponses, PydanticAIAnthropic)
