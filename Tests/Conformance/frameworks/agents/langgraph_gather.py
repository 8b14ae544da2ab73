import httpx
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

client = httpx.AsyncClient(base_url="https://bank.example")


@tool
async def balance() -> str:
    """Read the balance of the account."""
    return (await client.get("/balance")).raise_for_status().text


@tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    response = await client.post("/payments", json={"amount": amount, "note": note})
    return response.raise_for_status().text


model = ChatOpenAI(model="gpt-5").bind_tools([balance, pay])


async def call_model(state: MessagesState):
    return {"messages": [await model.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_node("tools", ToolNode([balance, pay]))
builder.add_edge(START, "model")
builder.add_conditional_edges("model", tools_condition)
builder.add_edge("tools", "model")
graph = builder.compile()
