"""The demo's agent: code as a user of the platform writes it; Sluice runs it under the published runagents runtime."""

from runagents import Agent
from runagents.runtime import call_llm


def handler(request, context):
    bank = Agent()
    account = bank.call_tool("bank", "/accounts/7", method="GET")
    payment = {"invoice": 7, "to": account["owner"], "amount": "120.00", "currency": "EUR"}
    answer = bank.call_tool("bank", "/payments", payment)
    if "receipt" not in answer:
        return "Invoice 7 is not paid."
    told = call_llm([{"role": "user", "content": f"Invoice 7 is paid: {answer['receipt']}"}])
    return told["choices"][0]["message"]["content"]
