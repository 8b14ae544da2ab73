import httpx
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain.chat_models import init_chat_model
from langchain.tools import tool

model = init_chat_model("gpt-5")


@tool
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get("https://bank.example/balance")).text


@tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


payment_agent = create_agent(model, tools=[balance, pay], system_prompt="You are a payments assistant.")


@tool
async def manage_payments(request: str) -> str:
    """Pay using natural language."""
    result = await payment_agent.ainvoke({"messages": [{"role": "user", "content": request}]})
    return result["messages"][-1].text


supervisor_agent = create_agent(
    model, tools=[manage_payments], system_prompt="You are a helpful personal assistant.",
    middleware=[SummarizationMiddleware(model=model, trigger=("tokens", 400000))])

if __name__ == "__main__":
    for step in supervisor_agent.stream({"messages": [{"role": "user", "content": "Pay the bill."}]}):
        for update in step.values():
            for message in update.get("messages", []):
                message.pretty_print()
