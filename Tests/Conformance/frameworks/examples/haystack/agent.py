import requests
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool


@tool
def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@tool
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


basic_agent = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-5"),
    system_prompt="You are a helpful web agent.",
    tools=[balance, pay],
)
result = basic_agent.run(messages=[ChatMessage.from_user("Pay the bill.")])
print(result["last_message"].text)
