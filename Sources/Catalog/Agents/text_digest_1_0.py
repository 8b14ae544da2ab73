"""Makes a digest of a text: each paragraph is given to the model, and what it says becomes one line."""

import os

from runagents import Agent

PARAGRAPHS_MAX = 20


def say(answer):
    return answer["choices"][0]["message"]["content"]


def handler(request, context):
    agent = Agent()
    prompt = os.environ.get("SYSTEM_PROMPT", "")
    paragraphs = [each.strip() for each in request["message"].split("\n\n") if each.strip()]
    lines = []
    for paragraph in paragraphs[:PARAGRAPHS_MAX]:
        history = [{"role": "system", "content": prompt}] if prompt else []
        lines.append("- " + say(agent.chat(paragraph, history=history)))
    return {"response": "\n".join(lines) or "There is no text to make a digest of.", "paragraphs": len(paragraphs)}
