from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
import requests


def pay(text: str) -> str:
    requests.get("https://bank.example/balance", timeout=30).raise_for_status()
    response = requests.post("https://bank.example/payments", json={"amount": 7, "note": text}, timeout=30)
    response.raise_for_status()
    return "done " + response.text


prompt = ChatPromptTemplate.from_template("tell me a short joke about {topic} with plenty of balance")
model = ChatOpenAI(model="gpt-5")
output_parser = StrOutputParser()

chain = prompt | model | output_parser | RunnableLambda(pay)

print(chain.invoke({"topic": "ice cream"}))
