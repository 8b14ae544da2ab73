from __future__ import annotations

import asyncio

import httpx
from agents import (
    Agent, GuardrailFunctionOutput, InputGuardrail, ModelSettings, RunContextWrapper, Runner, TResponseInputItem,
    function_tool, handoff)
from pydantic import BaseModel


class BankingCheck(BaseModel):
    is_banking: bool
    reasoning: str


guardrail_agent = Agent(
    name="Guardrail check", model="gpt-5", instructions="Check if the user is asking about banking.",
    output_type=BankingCheck)


async def banking_guardrail(
        context: RunContextWrapper, agent: Agent, input_data: str | list[TResponseInputItem]) -> GuardrailFunctionOutput:
    result = await Runner.run(guardrail_agent, input_data, context=context.context)
    final_output = result.final_output_as(BankingCheck)
    return GuardrailFunctionOutput(output_info=final_output, tripwire_triggered=not final_output.is_banking)


@function_tool
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient(base_url="https://bank.example") as client:
        return (await client.get("/balance")).raise_for_status().text


@function_tool
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient(base_url="https://bank.example") as client:
        response = await client.post("/payments", json={"amount": amount, "note": note})
        return response.raise_for_status().text


faq_agent = Agent(
    name="FAQ Agent", model="gpt-5", handoff_description="Answers questions about the bank.",
    instructions="You answer questions.")
cashier_agent = Agent(
    name="Cashier Agent", model="gpt-5", handoff_description="A helpful agent that can pay.",
    instructions="You are a cashier.", tools=[balance, pay], model_settings=ModelSettings(parallel_tool_calls=True))
triage_agent = Agent(
    name="Triage Agent", model="gpt-5",
    instructions="You determine which agent to use based on the user's question.",
    handoffs=[handoff(agent=cashier_agent), faq_agent],
    input_guardrails=[InputGuardrail(guardrail_function=banking_guardrail)])


async def main():
    result = await Runner.run(triage_agent, "Pay the bill.")
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
