import asyncio

import requests
from agents import Agent, Runner, function_tool
from pydantic import BaseModel


class Confirmation(BaseModel):
    summary: str
    amount: int


@function_tool
def balance() -> str:
    """Read the balance of the account."""
    response = requests.get("https://bank.example/balance", timeout=30)
    response.raise_for_status()
    return response.text


@function_tool
def pay(amount: int, note: str) -> str:
    """Pay an amount.

    Args:
        amount: The amount to pay.
        note: The note for the recipient.
    """
    response = requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


agent = Agent(
    name="Cashier", instructions="You are a helpful cashier.", model="gpt-5", tools=[balance, pay],
    output_type=Confirmation)


async def main():
    result = await Runner.run(agent, input="Pay the bill.")
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
