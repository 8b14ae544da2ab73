"""Conversations in OpenAI's words; `drive_google_genai` has the same ones in Google's."""

import base64
import json

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n an image").decode()
WEATHER_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CITY_SCHEMA = {
    "type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"]}
WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "Tells the weather.", "parameters": WEATHER_SCHEMA}}


def user(content):
    return {"role": "user", "content": content}


def call(id, city):
    return {"id": id, "type": "function", "function": {
        "name": "weather", "arguments": json.dumps({"city": city}, ensure_ascii=False)}}


CONVERSATIONS = [
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "system", "content": "Be kind."}, user("Say hello.")],
     "temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 77, "stop": ["END"]},
    {"messages": [user([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}])]},
    {"messages": [
        user("Compare."),
        {"role": "assistant", "content": "I look.", "tool_calls": [call("c1", "Tromsø"), call("c2", "Bodø")]},
        {"role": "tool", "tool_call_id": "c1", "content": "regn"}, {"role": "tool", "tool_call_id": "c2", "content": "sol"}],
     "tools": [WEATHER]},
    {"messages": [user("How is it?")], "tools": [WEATHER],
     "tool_choice": {"type": "function", "function": {"name": "weather"}}},
    {"messages": [user("Where?")], "response_format": {
        "type": "json_schema", "json_schema": {"name": "city", "schema": CITY_SCHEMA}}},
    {"messages": [user("Say hello.")], "stream": True},
]
