"""The answers of scripted providers to the scenarios of the published clients."""

import itertools
import json

from models.clients.drivers import scenarios
from scripted_provider import Answer

BYTES_AT_ONCE = 7


class Strict:
    """A provider that answers by scenario. Its streams arrive in pieces that end anywhere, within a character too."""

    model = embedding_model = None

    def __init__(self):
        super().__init__(self.say_in_scenario)
        self.bytes_at_once = BYTES_AT_ONCE
        self.refuses_problems = True

    def close(self):
        """Problems are the callers': each one got its own as an error."""
        self.problems.clear()
        super().close()

    def say_in_scenario(self, body):
        turns = body.get("messages") or body.get("contents")
        if not turns:
            return 200, self.embedding(body), ()
        seen = json.dumps(turns, ensure_ascii=False)
        asked = {name for name, prompt in scenarios.PROMPTS.items() if prompt in seen}
        if "refused" in asked:
            return 400, self.error(scenarios.REFUSAL), ()
        if "limited" in asked:
            return 429, self.error(scenarios.LIMIT), [("Retry-After", "7")]
        if "broken" in asked:
            return Answer(scenarios.BREAK)
        if "cut" in asked:
            return Answer(scenarios.CUT, finish="length")
        if "structured" in asked:
            return self.structured(body)
        if {"tool", "parallel"} & asked:
            return self.forecast("parallel" in asked, seen)
        return Answer(scenarios.HELLO, prompt=scenarios.USAGE[0], completion=scenarios.USAGE[1])

    def structured(self, body):
        tools = [tool for tool in self.tools(body) if tool != "weather"]
        if tools:
            return Answer(calls=[(self.call_id(1), tools[0], scenarios.CITY)])
        return Answer(json.dumps(scenarios.CITY, ensure_ascii=False))

    def forecast(self, is_parallel, seen):
        if scenarios.RESULT in seen:
            return Answer(scenarios.COMPARISON if is_parallel else scenarios.FORECAST)
        calls = [scenarios.CALL, scenarios.OTHER_CALL][:1 + is_parallel]
        return Answer(calls=[(self.call_id(number), *call) for number, call in enumerate(calls)])

    def tools(self, body):
        return [tool["function"]["name"] for tool in body.get("tools") or ()]

    def call_id(self, number):
        return f"call_{number}aBcDeFgHiJkLmNoPqRsTuV"

    def events(self, answer, body):
        events = super().events(answer, body)
        if answer.text == scenarios.BREAK:
            events = itertools.chain(itertools.islice(events, self.events_before_break), [
                self.stream_error(scenarios.BREAK)])
        return events

    events_before_break = 3
