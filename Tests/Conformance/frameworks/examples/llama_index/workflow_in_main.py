import asyncio

import httpx
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI


class JokeEvent(Event):
    joke: str


class JokeFlow(Workflow):
    llm = OpenAI(model="gpt-5")

    @step
    async def generate_joke(self, ev: StartEvent) -> JokeEvent:
        topic = ev.topic
        response = await self.llm.acomplete(f"Write your best joke about {topic} and plenty.")
        return JokeEvent(joke=str(response))

    @step
    async def pay(self, ev: JokeEvent) -> StopEvent:
        async with httpx.AsyncClient(base_url="https://bank.example") as client:
            (await client.get("/balance")).raise_for_status()
            response = await client.post("/payments", json={"amount": 7, "note": ev.joke})
            response.raise_for_status()
        return StopEvent(result="done " + response.text)


async def main():
    w = JokeFlow(timeout=60, verbose=False)
    result = await w.run(topic="pirates")
    print(str(result))


if __name__ == "__main__":
    asyncio.run(main())
