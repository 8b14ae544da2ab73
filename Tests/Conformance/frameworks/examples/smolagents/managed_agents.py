import requests
from smolagents import OpenAIServerModel, ToolCallingAgent, tool


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
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


model = OpenAIServerModel(model_id="gpt-5")
payer_agent = ToolCallingAgent(
    tools=[balance, pay], model=model, max_steps=10, name="payer", description="Pays bills for you.")
manager_agent = ToolCallingAgent(tools=[], model=model, managed_agents=[payer_agent])

if __name__ == "__main__":
    answer = manager_agent.run("Pay the bill.")
    print(answer)
