"""Pays what it is told to, once somebody approves: the policy of its deploy blocks the payment until then.

The message is a JSON object such as {"to": "ada", "amount": "12.50"}, or a sentence that the model is to make one of.
"""

import json

from runagents import Agent
from runagents.runtime import call_llm

BANK = "echo-tool"


def order(message):
    try:
        parsed = json.loads(message)
        if isinstance(parsed, dict):
            return parsed
    except ValueError:
        pass
    asked = f"Make a JSON object with the members to and amount of this: {message}"
    answer = call_llm([{"role": "user", "content": asked}])
    return {"order": answer["choices"][0]["message"]["content"]}


def handler(request, context):
    agent = Agent()
    balance = agent.call_tool(BANK, "/balance", method="GET")
    if "path" not in balance:
        return f"The balance cannot be read: {balance}"
    receipt = agent.call_tool(BANK, "/payments", order(request["message"]))
    if "body" not in receipt:
        return f"Nothing was paid: {receipt}"
    return {"response": f"Paid: {json.dumps(receipt['body'], sort_keys=True)}", "paid": receipt["body"]}
