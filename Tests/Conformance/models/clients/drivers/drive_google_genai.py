"""Google's own package asks a server that records, in the conversations of `gemini_conversations`: the shape of its
requests is what Google's service reads. Arguments: the server's address, and the model."""

import base64
import sys

from gemini_conversations import CITY_SCHEMA, PIXEL, WEATHER_SCHEMA
from google import genai
from google.genai import types

url, model = sys.argv[1:3]
client = genai.Client(api_key="AIza-anything", http_options=types.HttpOptions(base_url=url))


def turn(role, *parts):
    return types.Content(role=role, parts=list(parts))


def text(words):
    return types.Part.from_text(text=words)


def call(id, city):
    return types.Part(function_call=types.FunctionCall(id=id, name="weather", args={"city": city}))


def result(id, words):
    return types.Part(function_response=types.FunctionResponse(id=id, name="weather", response={"output": words}))


TOOLS = [types.Tool(function_declarations=[types.FunctionDeclaration(
    name="weather", description="Tells the weather.", parameters_json_schema=WEATHER_SCHEMA)])]
FORCED = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(
    mode="ANY", allowed_function_names=["weather"]))
CONVERSATIONS = [
    ([turn("user", text("Say hello."))], types.GenerateContentConfig(
        system_instruction=types.Content(parts=[text("Be brief."), text("Be kind.")]), temperature=0.5, top_p=0.9, seed=7,
        max_output_tokens=77, stop_sequences=["END"])),
    ([turn("user", text("What is this?"), types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"))],
     None),
    ([turn("user", text("Compare.")), turn("model", text("I look."), call("c1", "Tromsø"), call("c2", "Bodø")),
      turn("user", result("c1", "regn"), result("c2", "sol"))], types.GenerateContentConfig(tools=TOOLS)),
    ([turn("user", text("How is it?"))], types.GenerateContentConfig(tools=TOOLS, tool_config=FORCED)),
    ([turn("user", text("Where?"))], types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=CITY_SCHEMA)),
]
for contents, config in CONVERSATIONS:
    client.models.generate_content(model=model, contents=contents, config=config)
for _ in client.models.generate_content_stream(model=model, contents=CONVERSATIONS[0][0]):
    pass
