from typing import Annotated

import requests
from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient

BANK = "https://bank.example"


def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


def pay(amount: Annotated[int, "The amount"], note: Annotated[str, "The note"]) -> str:
    """Pay an amount."""
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


agent = Agent(
    OpenAIChatCompletionClient(model="gpt-5"), "You are a cashier.", name="cashier", tools=[balance, pay])
