import dspy
import requests

lm = dspy.LM("openai/gpt-5", temperature=1.0, max_tokens=16000)
dspy.configure(lm=lm)


def balance() -> str:
    """Read the balance of the account."""
    return requests.get("https://bank.example/balance", timeout=30).text


def pay(amount: int, note: str) -> str:
    """Pay an amount."""
    return requests.post("https://bank.example/payments", json={"amount": amount, "note": note}, timeout=30).text


react = dspy.ReAct("question -> answer", tools=[balance, pay])

pred = react(question="Pay the bill.")
print(pred.answer)
