import httpx
import requests
from langchain.agents import create_agent

BANK = "https://bank.example"


def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{BANK}/payments", json={"amount": amount, "note": note})
        response.raise_for_status()
        return response.text


agent = create_agent("openai:gpt-5", tools=[balance, pay], system_prompt="You are a cashier.")
