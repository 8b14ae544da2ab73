import httpx
from agents import Agent, function_tool

BANK = "https://bank.example"


@function_tool
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{BANK}/balance")
        response.raise_for_status()
        return response.text


@function_tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{BANK}/payments", json={"amount": amount, "note": note})
        response.raise_for_status()
        return response.text


agent = Agent(name="Cashier", instructions="You are a cashier.", model="gpt-5", tools=[balance, pay])
