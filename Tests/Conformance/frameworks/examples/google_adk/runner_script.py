import asyncio

import requests
from dotenv import load_dotenv
from google.adk.agents import LlmAgent, SequentialAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.genai import types

load_dotenv()
APP_NAME, USER_ID, SESSION_ID = "bank_app", "user1234", "1234"


def balance() -> dict:
    """Reads the balance of the account."""
    return {"report": requests.get("https://bank.example/balance", timeout=30).text}


def pay(amount: int, note: str) -> dict:
    """Pays an amount."""
    response = requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30)
    return {"report": response.text}


payer_agent = LlmAgent(
    name="PayerAgent", model=LiteLlm(model="openai/gpt-5"), instruction="Pay.", tools=[balance, pay],
    output_key="payment")
reporter_agent = LlmAgent(
    name="ReporterAgent", model=LiteLlm(model="openai/gpt-5"), instruction="Report on {payment}.")
code_pipeline_agent = SequentialAgent(name="PipelineAgent", sub_agents=[payer_agent, reporter_agent])


async def setup_session_and_runner():
    session_service = InMemorySessionService()
    session = await session_service.create_session(app_name=APP_NAME, user_id=USER_ID, session_id=SESSION_ID)
    runner = Runner(agent=code_pipeline_agent, app_name=APP_NAME, session_service=session_service)
    return session, runner


async def call_agent_async(query):
    content = types.Content(role="user", parts=[types.Part(text=query)])
    session, runner = await setup_session_and_runner()
    events = runner.run_async(user_id=USER_ID, session_id=SESSION_ID, new_message=content)
    async for event in events:
        if event.is_final_response():
            print("Agent Response: ", event.content.parts[0].text)


if __name__ == "__main__":
    asyncio.run(call_agent_async("Pay the bill."))
