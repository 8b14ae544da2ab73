"""Makes a digest of a text: each paragraph is given to the model, and what it says becomes one line.

Beside it stand the words that the text has most often, which no model is needed for.
"""

import collections
import os
import re

from runagents.runtime import call_llm

PARAGRAPHS_MAX = 20
KEYWORDS_MAX = 5
LETTERS_MIN = 5


def said(prompt, paragraph):
    messages = [{"role": "system", "content": prompt}] if prompt else []
    answer = call_llm(messages + [{"role": "user", "content": paragraph}])
    return answer["choices"][0]["message"]["content"]


def keywords(text):
    words = [word.lower() for word in re.findall(r"\w+", text) if len(word) >= LETTERS_MIN]
    ranked = sorted(collections.Counter(words).items(), key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[:KEYWORDS_MAX]]


def handler(request, context):
    prompt = os.environ.get("SYSTEM_PROMPT", "")
    paragraphs = [each.strip() for each in request["message"].split("\n\n") if each.strip()]
    lines = ["- " + said(prompt, paragraph) for paragraph in paragraphs[:PARAGRAPHS_MAX]]
    return {
        "response": "\n".join(lines) or "There is no text to make a digest of.",
        "paragraphs": len(paragraphs),
        "keywords": keywords(request["message"]),
    }
