import asyncio

import httpx
from anthropic import AsyncAnthropic

client = AsyncAnthropic()
tools = [
    {"name": "balance", "description": "Read the balance.", "input_schema": {"type": "object", "properties": {}}},
    {"name": "pay", "description": "Pay an amount.", "input_schema": {
        "type": "object", "required": ["amount", "note"],
        "properties": {"amount": {"type": "integer"}, "note": {"type": "string"}}}},
]


async def process_tool_call(name, arguments):
    async with httpx.AsyncClient(base_url="https://bank.example") as http:
        if name == "balance":
            return (await http.get("/balance")).text
        return (await http.post("/payments", json=arguments)).text


async def main() -> None:
    messages = [{"role": "user", "content": "Pay the bill."}]
    while True:
        async with client.messages.stream(
                max_tokens=1024, model="claude-sonnet-4-5", messages=messages, tools=tools) as stream:
            async for text in stream.text_stream:
                print(text, end="", flush=True)
            message = await stream.get_final_message()
        if message.stop_reason != "tool_use":
            break
        messages.append({"role": "assistant", "content": message.content})
        uses = [block for block in message.content if block.type == "tool_use"]
        results = await asyncio.gather(*(process_tool_call(use.name, use.input) for use in uses))
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": use.id, "content": result} for use, result in zip(uses, results)]})
    print()


if __name__ == "__main__":
    asyncio.run(main())
