import asyncio

import httpx
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.ui import Console
from autogen_ext.models.openai import OpenAIChatCompletionClient

# Define a model client.
model_client = OpenAIChatCompletionClient(
    model="gpt-5",
    # api_key="YOUR_API_KEY",
)


async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get("https://bank.example/balance")).text


async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


agent = AssistantAgent(
    name="cashier_agent",
    model_client=model_client,
    tools=[balance, pay],
    system_message="You are a helpful assistant.",
    reflect_on_tool_use=True,
    max_tool_iterations=5,
    model_client_stream=True,
)


async def main() -> None:
    await Console(agent.run_stream(task="Pay the bill."))
    # Close the connection to the model client.
    await model_client.close()


if __name__ == "__main__":
    asyncio.run(main())
