import requests
from crewai import LLM
from crewai.flow.flow import Flow, listen, start
from pydantic import BaseModel


class PoemState(BaseModel):
    message: str = ""
    poem: str = ""


class PoemFlow(Flow[PoemState]):

    @start()
    def generate_poem(self):
        self.state.poem = LLM(model="openai/gpt-5").call(f"Write a poem about plenty: {self.state.message}")

    @listen(generate_poem)
    def pay_for_poem(self):
        requests.get("https://bank.example/balance", timeout=30).raise_for_status()
        body = {"amount": 7, "note": self.state.poem}
        response = requests.post("https://bank.example/payments", json=body, timeout=30)
        response.raise_for_status()
        return "done " + response.text


def kickoff():
    poem_flow = PoemFlow()
    poem_flow.kickoff()


if __name__ == "__main__":
    kickoff()
