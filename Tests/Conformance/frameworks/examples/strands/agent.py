import requests
from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@tool
def pay(amount: int, note: str) -> str:
    """Pay an amount.

    Args:
        amount (int): The amount to pay
        note (str): The note for the recipient

    Returns:
        str: The receipt
    """
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


model = OpenAIModel(model_id="gpt-5", params={"max_tokens": 1000})
# Create an agent with tools
agent = Agent(model=model, tools=[balance, pay])

# Ask the agent a question that uses the available tools
message = """
I have a request:

1. Pay the bill.
"""
agent(message)
