import requests
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from pydantic import BaseModel


class Confirmation(BaseModel):
    summary: str


@tool("balance")
def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@tool("pay")
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


payer = Agent(
    role="Payer", goal="Pay what is due", backstory="You work at a bank.", tools=[balance, pay],
    llm=LLM(model="openai/gpt-5"))
payment = Task(description="Pay for {topic}", expected_output="A confirmation", agent=payer, output_pydantic=Confirmation)
my_crew = Crew(agents=[payer], tasks=[payment], verbose=True)
result = my_crew.kickoff(inputs={"topic": "the bill"})
print(result)
