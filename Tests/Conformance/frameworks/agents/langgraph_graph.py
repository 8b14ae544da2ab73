import requests
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

BANK = "https://bank.example"


@tool
def balance() -> str:
    """Read the balance of the account."""
    response = requests.get(f"{BANK}/balance", timeout=30)
    response.raise_for_status()
    return response.text


@tool
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    response = requests.post(f"{BANK}/payments", json={"amount": amount, "note": note}, timeout=30)
    response.raise_for_status()
    return response.text


model = ChatOpenAI(model="gpt-5").bind_tools([balance, pay])


def call_model(state: MessagesState):
    return {"messages": [model.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_node("tools", ToolNode([balance, pay]))
builder.add_edge(START, "model")
builder.add_conditional_edges("model", tools_condition)
builder.add_edge("tools", "model")
graph = builder.compile(checkpointer=MemorySaver())
