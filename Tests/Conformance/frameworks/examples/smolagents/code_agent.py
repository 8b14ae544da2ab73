import os

import requests
from dotenv import load_dotenv
from smolagents import CodeAgent, OpenAIServerModel, tool

load_dotenv()


@tool
def balance() -> str:
    """Reads the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@tool
def pay(amount: int, note: str) -> str:
    """Pays an amount.

    Args:
        amount: The amount to pay.
        note: The note for the recipient.
    """
    response = requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


model = OpenAIServerModel(model_id="gpt-5", api_key=os.getenv("OPENAI_API_KEY"))
agent = CodeAgent(tools=[balance, pay], model=model, add_base_tools=False, stream_outputs=True)

agent.run("Pay the bill, please.")
