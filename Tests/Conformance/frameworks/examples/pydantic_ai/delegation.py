import asyncio

import httpx
from pydantic_ai import Agent, RunContext, UsageLimits

payment_agent = Agent("openai-chat:gpt-5", instructions="Read the balance, then pay.", output_type=list[str])
manager_agent = Agent("openai-chat:gpt-5", instructions="Use the `payment_desk` to pay.", retries=2)


@manager_agent.tool
async def payment_desk(ctx: RunContext[None], what: str) -> list[str]:
    r = await payment_agent.run(f"Please pay {what}.", usage=ctx.usage)
    return r.output


@payment_agent.tool_plain
async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get("https://bank.example/balance")).text


@payment_agent.tool_plain
async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        return (await client.post("https://bank.example/payments", json={"amount": amount, "note": note})).text


async def main():
    async with manager_agent.run_stream("Pay the bill.", usage_limits=UsageLimits(request_limit=9)) as result:
        async for message in result.stream_text():
            print(message)


if __name__ == "__main__":
    asyncio.run(main())
