import asyncio

import httpx
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.workflow import Context
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="gpt-5")


async def balance(ctx: Context) -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        text = (await client.get("https://bank.example/balance")).text
    async with ctx.store.edit_state() as ctx_state:
        ctx_state["state"]["balance"] = text
    return text


async def pay(ctx: Context, amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


research_agent = FunctionAgent(
    name="ResearchAgent", description="Finds out what to pay.", system_prompt="Hand off to PaymentAgent.", llm=llm,
    tools=[], can_handoff_to=["PaymentAgent"])
payment_agent = FunctionAgent(
    name="PaymentAgent", description="Pays.", system_prompt="You are the PaymentAgent.", llm=llm,
    tools=[balance, pay], can_handoff_to=["ResearchAgent"])
agent_workflow = AgentWorkflow(
    agents=[research_agent, payment_agent], root_agent=research_agent.name, initial_state={"balance": "unknown"})


async def main():
    handler = agent_workflow.run(user_msg="Pay the bill.")
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            print(event.delta, end="", flush=True)
        elif isinstance(event, ToolCallResult):
            print(f"Tool called: {event.tool_name} -> {event.tool_output}")


if __name__ == "__main__":
    asyncio.run(main())
