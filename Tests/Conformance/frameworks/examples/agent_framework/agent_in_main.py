import asyncio
from typing import Annotated

import requests
from agent_framework.openai import OpenAIChatCompletionClient
from dotenv import load_dotenv
from pydantic import Field

load_dotenv()


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: Annotated[int, Field(description="The amount.")], note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


async def main():
    client = OpenAIChatCompletionClient(model="gpt-5")
    agent = client.as_agent(name="CashierAgent", instructions="You are a helpful cashier.", tools=[balance, pay])
    print("Agent: ", end="", flush=True)
    async for chunk in agent.run("Pay the bill.", stream=True):
        if chunk.text:
            print(chunk.text, end="", flush=True)
    print()


if __name__ == "__main__":
    asyncio.run(main())
