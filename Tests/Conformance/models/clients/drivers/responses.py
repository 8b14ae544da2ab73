"""The scenarios in OpenAI's Responses, which several packages ask for by default."""

import json

import openai
from cities import City
from scenarios import PROMPTS, WEATHER_SCHEMA, Asking, call_facts, forecast, text_facts

WEATHER = {
    "type": "function", "name": "weather", "description": "Tells the weather.", "parameters": WEATHER_SCHEMA,
    "strict": False}


class OpenAIResponses(Asking):
    name = "openai, Responses"

    def responses(self, key=None):
        return openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=key or self.key, max_retries=0, timeout=60).responses

    def create(self, scenario, key=None, **more):
        return self.responses(key).create(model=self.model, input=PROMPTS[scenario], **more)

    def facts(self, response, pieces=None):
        reason = "stop" if response.status == "completed" else response.incomplete_details.reason
        return text_facts(
            response.output_text, [response.usage.input_tokens, response.usage.output_tokens],
            {"max_output_tokens": "length"}.get(reason, reason), pieces)

    def whole(self):
        return self.facts(self.create("whole"))

    def streamed(self):
        events = list(self.create("streamed", stream=True))
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        response = events[-1].response
        assert events[-1].type == "response.completed" and response.output_text == "".join(pieces), events[-1]
        return self.facts(response, len(pieces))

    def conversation(self, scenario, ask):
        """Asks, makes the calls that the model wants, and asks again with their results."""
        turns, made = [{"role": "user", "content": PROMPTS[scenario]}], []
        while True:
            answer = ask(turns)
            turns += answer.output
            calls = [item for item in answer.output if item.type == "function_call"]
            if not calls:
                return call_facts(made, answer.output_text)
            for call in calls:
                made.append([call.name, json.loads(call.arguments)])
                turns.append({
                    "type": "function_call_output", "call_id": call.call_id, "output": forecast(made[-1][1]["city"])})

    def tool(self):
        return self.conversation("tool", lambda turns: self.responses().create(
            model=self.model, input=turns, tools=[WEATHER], store=False))

    def parallel(self):
        def ask(turns):
            with self.responses().stream(model=self.model, input=turns, tools=[WEATHER], store=False) as stream:
                return stream.get_final_response()
        return self.conversation("parallel", ask)

    def structured(self):
        response = self.responses().parse(model=self.model, input=PROMPTS["structured"], text_format=City)
        return {"value": response.output_parsed.model_dump()}

    def cut(self):
        facts = self.facts(self.create("cut"))
        del facts["usage"]
        return facts

    def refused(self):
        return self.create("refused")

    def limited(self):
        return self.create("limited")

    def broken(self):
        return list(self.create("broken", stream=True))

    def budget(self):
        return self.create("budget", self.limited_key)
