from typing import TypedDict

import requests
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

BANK = "https://bank.example"


class State(TypedDict):
    request: str
    balance: str
    receipt: str


def read_balance(state: State):
    return {"balance": requests.get(f"{BANK}/balance", timeout=30).text}


def ask_and_pay(state: State):
    if not interrupt({"question": "Pay this?", "balance": state["balance"]}):
        return {"receipt": "not paid"}
    response = requests.post(f"{BANK}/free-payments", json={"note": state["request"]}, timeout=30)
    response.raise_for_status()
    return {"receipt": "done: " + response.text}


builder = StateGraph(State)
builder.add_node("read_balance", read_balance)
builder.add_node("ask_and_pay", ask_and_pay)
builder.add_edge(START, "read_balance")
builder.add_edge("read_balance", "ask_and_pay")
builder.add_edge("ask_and_pay", END)
graph = builder.compile(checkpointer=InMemorySaver())
