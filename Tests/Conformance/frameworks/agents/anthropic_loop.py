import json
import urllib.request

import anthropic

BANK = "https://bank.example"
TOOLS = [
    {"name": "balance", "description": "Read the balance.", "input_schema": {"type": "object", "properties": {}}},
    {"name": "pay", "description": "Pay an amount.", "input_schema": {
        "type": "object", "required": ["amount", "note"],
        "properties": {"amount": {"type": "integer"}, "note": {"type": "string"}}}},
]
client = anthropic.Anthropic()


def call(name, arguments):
    if name == "balance":
        request = urllib.request.Request(f"{BANK}/balance")
    else:
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{BANK}/payments", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return response.read().decode()


def main(message: str):
    messages = [{"role": "user", "content": message}]
    while True:
        answer = client.messages.create(model="claude-sonnet-4-5", max_tokens=1000, messages=messages, tools=TOOLS)
        messages.append({"role": "assistant", "content": [each.model_dump() for each in answer.content]})
        calls = [each for each in answer.content if each.type == "tool_use"]
        if not calls:
            return "".join(each.text for each in answer.content if each.type == "text")
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": each.id, "content": call(each.name, each.input)} for each in calls]})
