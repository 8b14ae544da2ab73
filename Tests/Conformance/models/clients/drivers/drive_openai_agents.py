import asyncio

import pydantic
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent
from cities import City
from scenarios import PROMPTS, Asking, call_facts, forecast, run, text_facts

set_tracing_disabled(True)


@function_tool
def weather(city: str) -> str:
    """Tells the weather."""
    return forecast(city)


class OpenAIAgents(Asking):
    name = "openai-agents"
    model_of = OpenAIChatCompletionsModel

    def agent(self, key=None, **more):
        client = AsyncOpenAI(base_url=f"{self.url}/v1", api_key=key or self.key, max_retries=0, timeout=60)
        return Agent(
            name="Forecaster", instructions="You tell the weather.", model=self.model_of(self.model, client),
            model_settings=ModelSettings(include_usage=True), **more)

    def ask(self, scenario, key=None, **more):
        return asyncio.run(Runner.run(self.agent(key, **more), PROMPTS[scenario]))

    def stream(self, scenario, **more):
        async def read():
            result, pieces = Runner.run_streamed(self.agent(**more), PROMPTS[scenario]), 0
            async for event in result.stream_events():
                pieces += event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
            return result, pieces
        return asyncio.run(read())

    def facts(self, result, pieces=None):
        usage = result.context_wrapper.usage
        return text_facts(result.final_output, [usage.input_tokens, usage.output_tokens], pieces=pieces)

    def calls(self, result):
        made = [[item.raw_item.name, item.raw_item.arguments] for item in result.new_items
                if item.type == "tool_call_item"]
        return call_facts([[name, pydantic.TypeAdapter(dict).validate_json(text)] for name, text in made],
                          result.final_output)

    def whole(self):
        return self.facts(self.ask("whole"))

    def streamed(self):
        return self.facts(*self.stream("streamed"))

    def tool(self):
        return self.calls(self.ask("tool", tools=[weather]))

    def parallel(self):
        return self.calls(self.stream("parallel", tools=[weather])[0])

    def structured(self):
        return {"value": self.ask("structured", output_type=City).final_output.model_dump()}

    def cut(self):
        return text_facts(self.ask("cut").final_output)

    def refused(self):
        return self.ask("refused")

    def limited(self):
        return self.ask("limited")

    def broken(self):
        return self.stream("broken")

    def budget(self):
        return self.ask("budget", self.limited_key)


if __name__ == "__main__":
    run(OpenAIAgents)
