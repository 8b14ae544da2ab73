from dataclasses import dataclass

import requests
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain.chat_models import init_chat_model
from langchain.tools import ToolRuntime, tool
from langgraph.checkpoint.memory import InMemorySaver

SYSTEM_PROMPT = """You are an expert cashier, who speaks in puns."""


@dataclass
class Context:
    """Custom runtime context schema."""

    user_id: str


@tool
def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@tool
def pay(amount: int, note: str, runtime: ToolRuntime[Context]) -> str:
    """Pay an amount."""
    user_id = runtime.context.user_id
    body = {"amount": amount, "note": note, "user": user_id}
    return requests.post("https://bank.example/payments", json=body, timeout=30).text


model = init_chat_model("gpt-5", temperature=0.5, timeout=10, max_tokens=1000)


@dataclass
class ResponseFormat:
    """Response schema for the agent."""

    punny_response: str
    conditions: str | None = None


checkpointer = InMemorySaver()
agent = create_agent(
    model=model, system_prompt=SYSTEM_PROMPT, tools=[balance, pay], context_schema=Context,
    response_format=ToolStrategy(ResponseFormat), checkpointer=checkpointer)
config = {"configurable": {"thread_id": "1"}}
response = agent.invoke(
    {"messages": [{"role": "user", "content": "pay the bill"}]}, config=config, context=Context(user_id="1"))
print(response["structured_response"])
