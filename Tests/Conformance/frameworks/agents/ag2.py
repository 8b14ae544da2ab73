import requests
from ag2 import Agent
from ag2.config import OpenAIConfig

BANK = "https://bank.example"


def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


agent = Agent("cashier", "You are a cashier.", config=OpenAIConfig("gpt-5"), tools=[balance, pay])
