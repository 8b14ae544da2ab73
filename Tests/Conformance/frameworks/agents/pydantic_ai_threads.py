import requests
from pydantic_ai import Agent

BANK = "https://bank.example"

agent = Agent("openai-chat:gpt-5", instructions="You are a cashier.")


@agent.tool_plain
def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


@agent.tool_plain
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text
