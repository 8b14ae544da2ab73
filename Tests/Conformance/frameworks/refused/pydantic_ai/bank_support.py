from dataclasses import dataclass

import httpx
from pydantic import BaseModel, Field
from pydantic_ai import Agent, RunContext


@dataclass
class BankConn:
    base_url: str = "https://bank.example"

    async def read(self, path: str) -> str:
        async with httpx.AsyncClient(base_url=self.base_url) as client:
            return (await client.get(path)).raise_for_status().text

    async def write(self, path: str, body: dict) -> str:
        async with httpx.AsyncClient(base_url=self.base_url) as client:
            return (await client.post(path, json=body)).raise_for_status().text


@dataclass
class SupportDependencies:
    customer_id: int
    bank: BankConn


class SupportOutput(BaseModel):
    support_advice: str = Field(description="Advice returned to the customer")
    block_card: bool = Field(description="Whether to block their card or not")
    risk: int = Field(description="Risk level of query", ge=0, le=10)


support_agent = Agent(
    "openai-chat:gpt-5", deps_type=SupportDependencies, output_type=SupportOutput,
    instructions="You are a support agent in our bank.")


@support_agent.instructions
async def add_customer_name(ctx: RunContext[SupportDependencies]) -> str:
    return f"The customer's id is {ctx.deps.customer_id}"


@support_agent.tool
async def balance(ctx: RunContext[SupportDependencies]) -> str:
    """Returns the customer's current account balance."""
    return await ctx.deps.bank.read("/balance")


@support_agent.tool(retries=2)
async def pay(ctx: RunContext[SupportDependencies], amount: int, note: str) -> str:
    """Pays an amount."""
    return await ctx.deps.bank.write("/payments", {"amount": amount, "note": note})


if __name__ == "__main__":
    deps = SupportDependencies(customer_id=123, bank=BankConn())
    result = support_agent.run_sync("What is my balance?", deps=deps)
    print(result.output)
