import httpx
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.func import entrypoint, task

BANK = "https://bank.example"


@tool
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{BANK}/balance")).raise_for_status().text


@tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{BANK}/payments", json={"amount": amount, "note": note})
        return response.raise_for_status().text


tools = {each.name: each for each in (balance, pay)}
model = ChatOpenAI(model="gpt-5").bind_tools(list(tools.values()))


@task
async def call_model(messages):
    return await model.ainvoke(messages)


@task
async def call_tool(call):
    observation = await tools[call["name"]].ainvoke(call["args"])
    return ToolMessage(content=observation, tool_call_id=call["id"])


@entrypoint()
async def cashier(messages: list):
    answer = await call_model(messages)
    while answer.tool_calls:
        results = [await call_tool(call) for call in answer.tool_calls]
        messages = [*messages, answer, *results]
        answer = await call_model(messages)
    return answer
