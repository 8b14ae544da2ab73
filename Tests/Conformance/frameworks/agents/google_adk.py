import requests
from google.adk.agents import Agent
from google.adk.models.lite_llm import LiteLlm

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


root_agent = Agent(
    name="cashier", model=LiteLlm(model="openai/gpt-5"), instruction="You are a cashier.", tools=[balance, pay])
