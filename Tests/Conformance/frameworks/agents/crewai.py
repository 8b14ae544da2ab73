import requests
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

BANK = "https://bank.example"


@tool("balance")
def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


@tool("pay")
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


cashier = Agent(
    role="Cashier", goal="Pay what is due", backstory="You work at a bank.", tools=[balance, pay],
    llm=LLM(model="openai/gpt-5"))
payment = Task(description="{message}", expected_output="A confirmation", agent=cashier)
crew = Crew(agents=[cashier], tasks=[payment])
