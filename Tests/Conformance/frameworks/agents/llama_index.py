import httpx
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai_like import OpenAILike

BANK = "https://bank.example"


async def balance() -> str:
    """Read the balance of the account."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{BANK}/balance")).raise_for_status().text


async def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{BANK}/payments", json={"amount": amount, "note": note})
        return response.raise_for_status().text


agent = FunctionAgent(
    tools=[balance, pay], system_prompt="You are a cashier.", streaming=False,
    llm=OpenAILike(model="gpt-5", is_chat_model=True, is_function_calling_model=True))
