import requests
from google.adk.agents import Agent
from google.adk.models.lite_llm import LiteLlm
from google.adk.tools import ToolContext


def balance(tool_context: ToolContext) -> dict:
    """Reads the balance of the account."""
    tool_context.state["seen"] = True
    response = requests.get("https://bank.example/balance", timeout=30)
    return {"status": "success", "report": response.text}


def pay(amount: int, note: str) -> dict:
    """Pays an amount.

    Args:
        amount (int): The amount to pay.
        note (str): The note for the recipient.

    Returns:
        dict: status and result or error msg.
    """
    response = requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30)
    return {"status": "success", "report": response.text}


cashier_agent = Agent(
    name="cashier", model=LiteLlm(model="openai/gpt-5"), description="Pays bills.",
    instruction="You are a cashier.", tools=[balance, pay])
greeting_agent = Agent(
    name="greeting", model=LiteLlm(model="openai/gpt-5"), description="Greets.", instruction="You greet.")
root_agent = Agent(
    name="multi_tool_agent", model=LiteLlm(model="openai/gpt-5"), description="Agent to answer questions.",
    instruction="Delegate payments to 'cashier'.", sub_agents=[greeting_agent, cashier_agent])
