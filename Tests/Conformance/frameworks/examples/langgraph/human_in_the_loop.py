import requests
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langgraph.checkpoint.memory import InMemorySaver


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/free-payments", json={"amount": amount, "note": note}, timeout=30).text


agent = create_agent(
    model="gpt-5", tools=[balance, pay],
    middleware=[HumanInTheLoopMiddleware(interrupt_on={"pay": True, "balance": False})],
    checkpointer=InMemorySaver())
