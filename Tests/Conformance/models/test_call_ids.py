"""Tool calls are told apart by ids that callers and providers accept, however many calls a provider gives one id."""

import json

import anthropic
import openai
import pytest

from models.byte_provider import provider, sse  # noqa: F401 - fixture
from models.test_accounts import END, WORD
from sluice_process import SluiceProcess

CALLS = [("same", "weather", {"city": "Bergen"}), ("same", "weather", {"city": "Oslo"}), ("other", "time", {})]
TOOLS = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in ("weather", "time")]


@pytest.fixture(scope="module")
def sluice(tmp_path_factory):
    process = SluiceProcess(tmp_path_factory.mktemp("call-ids")).start()
    yield process
    assert process.stop() == 0


def written(id, name, arguments):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def answer_of(body):
    """Calls that share an id, then a text."""
    if any(message["role"] == "tool" for message in body["messages"]):
        message, reason = {"content": "done"}, "stop"
    else:
        message, reason = {"content": None, "tool_calls": [written(*call) for call in CALLS]}, "tool_calls"
    if not body.get("stream"):
        choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant"} | message}
        document = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
    parts = [{"content": message["content"]}] if message["content"] else [
        {"tool_calls": [{"index": index} | call]} for index, call in enumerate(message["tool_calls"])]
    chunks = [WORD | {"choices": [{"index": 0, "delta": part, "finish_reason": None}]} for part in parts]
    return 200, {"Content-Type": "text/event-stream"}, sse(*chunks, END)


def sent_back(provider):
    """The calls and results of the second request, as the provider got them."""
    provider.calls.get(timeout=30)
    messages = json.loads(provider.calls.get(timeout=30)[1])["messages"]
    calls = [call for message in messages for call in message.get("tool_calls", [])]
    return calls, [message for message in messages if message["role"] == "tool"]


def check(ids, calls, results):
    """Each call has an id of its own, on both sides, and each result is that of its call."""
    assert ids[0] == "same" and len(set(ids)) == 3
    assert [call["id"] for call in calls] == ids
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [arguments for _, _, arguments in CALLS]
    assert [(each["tool_call_id"], each["content"]) for each in results] == [
        (id, json.dumps(arguments)) for id, (_, _, arguments) in zip(ids, CALLS)]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_calls_of_one_id_reach_anthropics_sdk_and_go_back_apart(sluice, provider, stream):
    provider.respond = answer_of
    client = anthropic.Anthropic(base_url=sluice.url, api_key=sluice.key("agent"), max_retries=0, timeout=30)
    request = {"model": provider.store(sluice.client()), "max_tokens": 99, "tools": TOOLS}
    messages = [{"role": "user", "content": "go"}]

    def ask():
        if not stream:
            return client.messages.create(messages=messages, **request)
        with client.messages.stream(messages=messages, **request) as answer:
            return answer.get_final_message()
    calls = [block for block in ask().content if block.type == "tool_use"]
    messages += [{"role": "assistant", "content": calls}, {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps(call.input)} for call in calls]}]
    assert ask().content[0].text == "done"
    check([call.id for call in calls], *sent_back(provider))


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_calls_of_one_id_reach_the_caller_of_responses_and_go_back_apart(sluice, provider, stream):
    provider.respond = answer_of
    client = openai.OpenAI(base_url=sluice.url + "/v1", api_key=sluice.key("agent"), max_retries=0, timeout=30).responses
    request = {"model": provider.store(sluice.client()), "tools": [
        {"type": "function", "name": tool["name"], "parameters": tool["input_schema"]} for tool in TOOLS]}

    def ask(input, **more):
        if not stream:
            return client.create(input=input, **request, **more)
        with client.stream(input=input, **request, **more) as answer:
            return answer.get_final_response()
    first = ask("go")
    calls = [item for item in first.output if item.type == "function_call"]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": json.dumps(json.loads(call.arguments))}
               for call in calls]
    assert ask(results, previous_response_id=first.id).output_text == "done"
    check([call.call_id for call in calls], *sent_back(provider))


# Mistral accepts nine letters and digits, and refuses the ids of all others.

def conversation(ids):
    return [{"role": "user", "content": "go"},
            {"role": "assistant", "content": None, "tool_calls": [written(id, "weather", {"id": id}) for id in ids]},
            *({"role": "tool", "tool_call_id": id, "content": id} for id in ids)]


def test_ids_of_other_providers_reach_mistral_in_its_own_form(sluice, provider):
    provider.respond = answer_of
    model = provider.store(sluice.client(), kind="mistral")
    ids = ["toolu_0123456789", "call|1", "ab1DE2f3g", "call_0__signed__Y3c"]
    body = {"model": model, "messages": conversation(ids), "stream": True, "stream_options": {"x": 1}}
    answer = sluice.client(sluice.key("agent")).post("/v1/chat/completions", body)
    assert answer.status == 200, answer
    sent = json.loads(provider.calls.get(timeout=30)[1])
    calls, results = sent["messages"][1]["tool_calls"], sent["messages"][2:]
    given = [call["id"] for call in calls]
    assert all(len(id) == 9 and id.isascii() and id.isalnum() for id in given) and len(set(given)) == len(ids)
    assert given[2] == ids[2] and [result["tool_call_id"] for result in results] == given
    assert [result["content"] for result in results] == ids, "nothing else changes"
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"id": id} for id in ids]


def test_a_request_with_mistrals_own_ids_reaches_it_byte_for_byte(sluice, provider):
    provider.respond = answer_of
    model = provider.store(sluice.client(), kind="mistral")
    content = json.dumps({"model": model, "messages": conversation(["ab1DE2f3g", "123456789"])}, indent=3).encode()
    assert sluice.client(sluice.key("agent")).post("/v1/chat/completions", content=content).status == 200
    assert provider.calls.get(timeout=30)[1] == content


def test_a_failed_result_says_so_to_providers_without_a_member_for_it(sluice, provider):
    provider.respond = answer_of
    model = provider.store(sluice.client(), kind="mistral")
    answer = sluice.client(sluice.key("agent")).post("/v1/messages", {
        "model": model, "max_tokens": 9, "tools": TOOLS, "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "time", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": "no clock"}]}]})
    assert answer.status == 200, answer
    call, result = json.loads(provider.calls.get(timeout=30)[1])["messages"][1:]
    assert result == {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": "Error: no clock"}
    assert len(result["tool_call_id"]) == 9
