"""The demo's agent: code as a user of the platform writes it, served by the published runagents runtime."""

from runagents import Agent


def handler(request, context):
    payment = {"invoice": 7, "to": "Ada's Analytical Engines", "amount": "120.00", "currency": "EUR"}
    answer = Agent().call_tool("bank", "/payments", payment)
    if "receipt" not in answer:
        return "Invoice 7 is not paid."
    return f"Invoice 7 is paid: {answer['receipt']}"
