import requests
from smolagents import OpenAIServerModel, ToolCallingAgent, tool

BANK = "https://bank.example"


@tool
def balance() -> str:
    """Reads the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


@tool
def pay(amount: int, note: str) -> str:
    """Pays an amount.

    Args:
        amount: The amount to pay.
        note: The note for the recipient.
    """
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


agent = ToolCallingAgent(tools=[balance, pay], model=OpenAIServerModel("gpt-5"))
