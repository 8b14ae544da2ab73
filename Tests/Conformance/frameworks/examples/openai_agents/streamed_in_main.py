import asyncio

import requests
from agents import Agent, ItemHelpers, Runner, function_tool, set_default_openai_api, set_tracing_disabled

set_default_openai_api("chat_completions")
set_tracing_disabled(True)


@function_tool
def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


@function_tool
def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


async def main():
    agent = Agent(name="Joker", instructions="You are a cashier.", model="gpt-5", tools=[balance, pay])
    result = Runner.run_streamed(agent, input="Pay the bill.")
    print("=== Run starting ===")
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            continue
        elif event.type == "agent_updated_stream_event":
            print(f"Agent updated: {event.new_agent.name}")
        elif event.type == "run_item_stream_event":
            if event.item.type == "tool_call_item":
                print("-- Tool was called")
            elif event.item.type == "tool_call_output_item":
                print(f"-- Tool output: {event.item.output}")
            elif event.item.type == "message_output_item":
                print(f"-- Message output:\n {ItemHelpers.text_message_output(event.item)}")
    print("=== Run complete ===")


if __name__ == "__main__":
    asyncio.run(main())
