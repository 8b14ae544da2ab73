from concurrent.futures import ThreadPoolExecutor

import anthropic
import requests

BANK = "https://bank.example"
TOOLS = [
    {"name": "balance", "description": "Read the balance.", "input_schema": {"type": "object", "properties": {}}},
    {"name": "pay", "description": "Pay an amount.", "input_schema": {
        "type": "object", "required": ["amount", "note"],
        "properties": {"amount": {"type": "integer"}, "note": {"type": "string"}}}},
]
client = anthropic.Anthropic()


def call(each):
    if each.name == "balance":
        response = requests.get(f"{BANK}/balance", timeout=30)
    else:
        response = requests.post(f"{BANK}/payments", json=each.input, timeout=30)
    return {"type": "tool_result", "tool_use_id": each.id, "content": response.text, "is_error": not response.ok}


def main(message: str):
    messages = [{"role": "user", "content": message}]
    while True:
        answer = client.messages.create(model="claude-sonnet-4-5", max_tokens=1000, messages=messages, tools=TOOLS)
        messages.append({"role": "assistant", "content": [each.model_dump() for each in answer.content]})
        calls = [each for each in answer.content if each.type == "tool_use"]
        if not calls:
            return "".join(each.text for each in answer.content if each.type == "text")
        with ThreadPoolExecutor() as pool:
            messages.append({"role": "user", "content": list(pool.map(call, calls))})
