import asyncio

import requests
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.ui import Console
from autogen_ext.models.openai import OpenAIChatCompletionClient


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


model_client = OpenAIChatCompletionClient(model="gpt-5")
primary_agent = AssistantAgent("primary", model_client=model_client, tools=[balance, pay], max_tool_iterations=5)
critic_agent = AssistantAgent("critic", model_client=model_client, system_message="Respond with 'APPROVE'.")
text_termination = TextMentionTermination("APPROVE") | MaxMessageTermination(8)
team = RoundRobinGroupChat([primary_agent, critic_agent], termination_condition=text_termination)

if __name__ == "__main__":
    asyncio.run(Console(team.run_stream(task="Pay the bill.")))
