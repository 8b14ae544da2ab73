"""The scenarios that each published model client runs, in the client's own environment, and the form of its report.

A driver has a class for each client: a method for each scenario that the client can run, which returns facts in no
library's words. `run` makes the report, a JSON line for each scenario. Imports the standard library alone.
"""

import json
import sys
import threading

HELLO = "Hæ, heimur! 👋🏽 你好 — ok"
CITY = {"city": "Tromsø", "degrees": 12}
CALL, OTHER_CALL = ["weather", {"city": "Tromsø"}], ["weather", {"city": "Bodø"}]
RESULT, OTHER_RESULT = "regn, 12° 🌧", "sol, 15° ☀"
FORECAST, COMPARISON = "It rains in Tromsø.", "Bodø is warmer than Tromsø."
CUT, REFUSAL, LIMIT, BREAK = "Once upon a", "9001 tokens exceed the context", "slow down", "overloaded in the middle"
BUDGET = "monthly_budget_usd"
VECTOR = [0.5, -0.25, 0.125]
USAGE = [11, 4]
PROMPTS = {
    "whole": "Say hello.", "streamed": "Say hello.", "tool": "How is the weather in Tromsø?",
    "parallel": "Compare Tromsø and Bodø.", "structured": "Where is it how warm?", "refused": "Write too much.",
    "limited": "Write too often.", "broken": "Break off.", "cut": "Tell a long story.", "budget": "Say hello."}
EXPECTED = {
    "whole": {"text": HELLO, "usage": USAGE, "reason": "stop"},
    "streamed": {"text": HELLO, "usage": USAGE, "reason": "stop", "in_pieces": True},
    "tool": {"calls": [CALL], "text": FORECAST},
    "parallel": {"calls": [CALL, OTHER_CALL], "text": COMPARISON},
    "structured": {"value": CITY},
    "cut": {"text": CUT, "reason": "length"},
    "refused": {"status": 400, "says": [REFUSAL]},
    "limited": {"status": 429, "says": [LIMIT], "retry_after": "7"},
    "broken": {"says": [BREAK]},
    "budget": {"status": 402, "says": [BUDGET]},
    "embeddings": {"vector": VECTOR},
    "counted": {"counted": True},
    "listed": {"listed": True},
}
SCENARIOS = list(EXPECTED)
REASONS = {"end_turn": "stop", "max_tokens": "length"}
WEATHER_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPENAI_WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "Tells the weather.", "parameters": WEATHER_SCHEMA}}


def forecast(city):
    """The tool that agents of frameworks call."""
    return {"Tromsø": RESULT, "Bodø": OTHER_RESULT}[city]


def converse(scenario, ask, turn=lambda message: message):
    """A conversation in OpenAI's chat completions: asks, makes the calls that the model wants, and asks again with their
    results.

    `ask` gives the message that answers messages, and `turn` the message as it is sent back.
    """
    messages, made = [{"role": "user", "content": PROMPTS[scenario]}], []
    while (answer := ask(messages)).tool_calls:
        messages.append(turn(answer))
        for call in answer.tool_calls:
            made.append([call.function.name, json.loads(call.function.arguments)])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": forecast(made[-1][1]["city"])})
    return call_facts(made, answer.content)


class Asking:
    """A client that asks one model. `limited_key` is that of an agent whose budget is spent."""

    def __init__(self, world, kind):
        self.url, self.key, self.limited_key = world["url"], world["key"], world["limited_key"]
        self.model, self.embedding_model = world["models"][kind], world["embedding_models"].get(kind)

    def run(self, scenario):
        try:
            return getattr(self, scenario)()
        except Exception as error:
            if scenario in ("refused", "limited", "broken", "budget"):
                return facts_of(error)
            return {"failed": f"{type(error).__name__}: {error}"[:1000]}


def text_facts(text, usage=None, reason=None, pieces=None):
    facts = {"text": text}
    if usage is not None:
        facts["usage"] = list(usage)
    if reason is not None:
        facts["reason"] = REASONS.get(reason, reason)
    if pieces is not None:
        facts["in_pieces"] = pieces > 1
    return facts


def call_facts(calls, text):
    return {"calls": sorted(calls, key=lambda call: call != CALL), "text": text}


def facts_of(error):
    """The class of an error, and what it or the error under it tells of the response."""
    chain = [error]
    while chain[-1].__cause__ or chain[-1].__context__:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    texts = "\n".join(f"{each} {getattr(each, 'body', '')}" for each in chain)
    facts = {"class": type(error).__name__, "says": [
        words for words in (REFUSAL, LIMIT, BREAK, BUDGET) if words in texts]}
    status = next((each.status_code for each in chain if getattr(each, "status_code", None)), None)
    headers = next((each.response.headers for each in chain if getattr(each, "response", None) is not None), {})
    facts |= {"status": status} if status else {}
    facts |= {"retry_after": headers["retry-after"]} if "retry-after" in headers else {}
    if facts["says"] == [BREAK]:
        # The status was sent long before; some packages make one up.
        facts.pop("status", None)
    return facts if facts["says"] else facts | {"failed": texts[:1000]}


def run(*clients):
    """Runs every scenario of the clients, the kinds of providers beside each other."""
    world = json.loads(sys.argv[1])
    lock = threading.Lock()

    def report(client, kind):
        asking = client(world, kind)
        for scenario in SCENARIOS:
            if getattr(asking, scenario, None) and (scenario != "embeddings" or asking.embedding_model):
                found = asking.run(scenario)
                with lock:
                    print(json.dumps({
                        "client": client.name, "kind": kind, "scenario": scenario, "found": found}), flush=True)

    for client in clients:
        threads = [threading.Thread(target=report, args=(client, kind)) for kind in world["models"]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
