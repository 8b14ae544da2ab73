import requests
from agno.agent import Agent
from agno.models.openai import OpenAIChat


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Pay an amount.

    Args:
        amount (int): The amount to pay.
        note (str): The note for the recipient.
    """
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


agent = Agent(
    model=OpenAIChat(id="gpt-5"),
    tools=[balance, pay],
    instructions="Use tables to display data. Don't include any other text.",
    markdown=True,
)
agent.print_response("Pay the bill.", stream=True)
