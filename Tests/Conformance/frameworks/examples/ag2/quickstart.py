import asyncio

import httpx
from ag2 import Agent, tool
from ag2.config import OpenAIConfig
from pydantic import BaseModel


class Confirmation(BaseModel):
    summary: str


@tool
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get("https://bank.example/balance")).text


@tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


cashier = Agent(
    "cashier", prompt="You are a cashier.", config=OpenAIConfig(model="gpt-5", streaming=True), tools=[balance, pay],
    response_schema=Confirmation)


async def main():
    reply = await cashier.ask("Pay the bill.")
    print(await reply.content())


if __name__ == "__main__":
    asyncio.run(main())
