import asyncio

import requests
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Useful for paying an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


# Create an agent workflow with our tools
agent = FunctionAgent(
    tools=[balance, pay],
    llm=OpenAI(model="gpt-5"),
    system_prompt="You are a helpful assistant that can pay.",
)


async def main():
    # Run the agent
    response = await agent.run("Pay the bill.")
    print(str(response))


# Run the agent
if __name__ == "__main__":
    asyncio.run(main())
