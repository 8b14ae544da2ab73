"""Makes a digest of a text: each paragraph is given to the model, and what it says becomes one line."""

import os

from runagents.runtime import call_llm

PARAGRAPHS_MAX = 20


def said(prompt, paragraph):
    messages = [{"role": "system", "content": prompt}] if prompt else []
    answer = call_llm(messages + [{"role": "user", "content": paragraph}])
    return answer["choices"][0]["message"]["content"]


def handler(request, context):
    prompt = os.environ.get("SYSTEM_PROMPT", "")
    paragraphs = [each.strip() for each in request["message"].split("\n\n") if each.strip()]
    lines = ["- " + said(prompt, paragraph) for paragraph in paragraphs[:PARAGRAPHS_MAX]]
    return {"response": "\n".join(lines) or "There is no text to make a digest of.", "paragraphs": len(paragraphs)}
