import asyncio

import requests
from agent_framework import Agent, WorkflowBuilder
from agent_framework.openai import OpenAIChatCompletionClient


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


client = OpenAIChatCompletionClient(model="gpt-5")
payer = Agent(client, "You pay.", name="payer", tools=[balance, pay])
reviewer = Agent(client, "You review.", name="reviewer")
workflow = WorkflowBuilder(start_executor=payer).add_edge(payer, reviewer).build()


async def main():
    events = await workflow.run("Pay the bill.")
    print(events.get_outputs())


if __name__ == "__main__":
    asyncio.run(main())
