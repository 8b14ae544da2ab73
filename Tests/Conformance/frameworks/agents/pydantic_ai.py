import httpx
from pydantic_ai import Agent

BANK = "https://bank.example"

agent = Agent("openai-chat:gpt-5", instructions="You are a cashier.")


@agent.tool_plain
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{BANK}/balance")
        response.raise_for_status()
        return response.text


@agent.tool_plain
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{BANK}/payments", json={"amount": amount, "note": note})
        response.raise_for_status()
        return response.text
