import operator
from typing import Annotated, TypedDict

import httpx
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send


class OverallState(TypedDict):
    topic: str
    amounts: list[int]
    receipts: Annotated[list[str], operator.add]
    report: str


class PaymentState(TypedDict):
    amount: int


llm = ChatOpenAI(model="gpt-5")


async def plan(state: OverallState):
    async with httpx.AsyncClient(base_url="https://bank.example") as client:
        (await client.get("/balance")).raise_for_status()
    return {"amounts": [7, 8]}


def continue_to_payments(state: OverallState):
    return [Send("make_payment", {"amount": amount}) for amount in state["amounts"]]


async def make_payment(state: PaymentState):
    async with httpx.AsyncClient(base_url="https://bank.example") as client:
        response = await client.post("/payments", json={"amount": state["amount"], "note": "n"})
        return {"receipts": [response.raise_for_status().text]}


async def report(state: OverallState):
    answer = await llm.ainvoke(f"Summarize plenty of receipts: {state['receipts']}")
    return Command(update={"report": answer.content}, goto=END)


workflow = StateGraph(OverallState)
workflow.add_node("plan", plan)
workflow.add_node("make_payment", make_payment)
workflow.add_node("report", report)
workflow.add_edge(START, "plan")
workflow.add_conditional_edges("plan", continue_to_payments, ["make_payment"])
workflow.add_edge("make_payment", "report")
app = workflow.compile()

if __name__ == "__main__":
    for step in app.stream({"topic": "bills"}):
        print(step)
