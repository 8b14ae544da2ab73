"""Google Gemini's `generateContent` as the service writes it, and the form in which it accepts requests."""

import json

MEMBERS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
GENERATION = {"maxOutputTokens", "temperature", "topP", "seed", "stopSequences", "responseMimeType", "responseJsonSchema"}
PARTS = {"text", "inlineData", "fileData", "functionCall", "functionResponse"}
SIGNATURE = "AY89a18IwQsQ8in/3Yq+7w=="
"""The state of the model's reasoning, which it requires back with its call."""


def text(words, **more):
    return {"text": words} | more


def call(name, arguments, id=None, signature=None):
    part = {"functionCall": {"name": name, "args": arguments} | ({"id": id} if id else {})}
    return part | ({"thoughtSignature": signature} if signature else {})


def document(*parts, reason="STOP", usage=None):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "gemini-3.8-flash", "responseId": "r-1",
            "usageMetadata": usage or {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12}}


def stream(*documents):
    """Server-sent events; Google ends their lines with CR and LF."""
    return b"".join(f"data: {json.dumps(document)}\r\n\r\n".encode() for document in documents)


def error(message, code=400, status="INVALID_ARGUMENT", *details):
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def check(body, is_current=True):
    """Raises for what the service answers with 400."""
    assert set(body) <= MEMBERS, set(body) - MEMBERS
    assert set(body.get("generationConfig", {})) <= GENERATION, body["generationConfig"]
    for part in body.get("systemInstruction", {"parts": []})["parts"]:
        assert set(part) == {"text"} and part["text"]
    for group in body.get("tools", []):
        for declaration in group["functionDeclarations"]:
            assert set(declaration) <= {"name", "description", "parametersJsonSchema"}, declaration
            assert declaration["parametersJsonSchema"]["type"] == "object"
            assert "$schema" not in declaration["parametersJsonSchema"]
    calls = []
    for turn in body["contents"]:
        assert turn["role"] in ("user", "model") and turn["parts"], turn
        made = [part for part in turn["parts"] if "functionCall" in part]
        results = [part["functionResponse"] for part in turn["parts"] if "functionResponse" in part]
        for part in turn["parts"]:
            assert len(set(part) & PARTS) == 1 and set(part) <= PARTS | {"thoughtSignature"}, part
            assert part.get("text") != ""
        assert bool(results) <= (turn["role"] == "user") and bool(made) <= (turn["role"] == "model")
        if calls:
            assert [(one["id"], one["name"]) for one in results] == calls, "a result for each call, in the turn after it"
            assert all(isinstance(one["response"], dict) for one in results)
        if made and is_current:
            assert made[0].get("thoughtSignature"), f"Function call {made[0]} is missing a thought_signature"
        calls = [(part["functionCall"]["id"], part["functionCall"]["name"]) for part in made]
