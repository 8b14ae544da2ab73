import requests
from crewai.tools import BaseTool
from pydantic import BaseModel, Field


class PayInput(BaseModel):
    """Input schema for PayTool."""

    amount: int = Field(..., description="The amount to pay.")
    note: str = Field(..., description="The note for the recipient.")


class PayTool(BaseTool):
    name: str = "pay"
    description: str = "Pays an amount."
    args_schema: type[BaseModel] = PayInput

    def _run(self, amount: int, note: str) -> str:
        response = requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30)
        response.raise_for_status()
        return response.text


class BalanceTool(BaseTool):
    name: str = "balance"
    description: str = "Reads the balance of the account."

    def _run(self) -> str:
        return requests.get("https://bank.example/balance", timeout=30).text
