import asyncio

import httpx
from pydantic_ai import Agent


async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get("https://bank.example/balance")).text


async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


async def main():
    cashier = Agent("openai-chat:gpt-5", tools=[balance, pay])
    async with cashier.run_stream("Pay the bill.") as result:
        async for message in result.stream_text(delta=True):
            print(message, end="", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
