"""The rules of providers' services that no published type states: which conversations and tools each one refuses."""

import re

OPENAI_TOOL_NAME = BEDROCK_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ANTHROPIC_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_openai(body):
    """Tool messages answer every call of the message before them, and nothing else stands between."""
    open_calls = []
    for message in body["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls, f"no call has the id {message['tool_call_id']}"
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls, f"calls without a tool message: {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        assert len(set(open_calls)) == len(open_calls) and all(0 < len(id) <= 40 for id in open_calls), open_calls
        if message["role"] == "assistant":
            assert message.get("content") or open_calls, "an assistant's message has content or tool_calls"
    assert not open_calls, f"calls without a tool message: {open_calls}"
    assert len(body.get("user") or "") <= 64 and len(body.get("stop") or ()) <= 4
    assert body.get("tools") or not {"tool_choice", "parallel_tool_calls"} & set(body), "only with tools"
    check_tools([(tool["function"]["name"], tool["function"].get("parameters")) for tool in body.get("tools", ())],
                OPENAI_TOOL_NAME, needs_properties=True)


def check_anthropic(body):
    messages = [(message["role"], blocks_of(message["content"])) for message in body["messages"]]
    if isinstance(body.get("system"), list):
        assert all(block["text"].strip() for block in body["system"]), "system: text must not be blank"
    for role, blocks in messages:
        for block in blocks:
            assert block["type"] != "text" or block["text"].strip(), "text must contain non-whitespace"
    check_turns([
        (role, [("call", b["id"]) if b["type"] == "tool_use" else ("result", b["tool_use_id"])
                if b["type"] == "tool_result" else (b["type"], b.get("text")) for b in blocks])
        for role, blocks in messages])
    check_tools([(tool["name"], tool["input_schema"]) for tool in body.get("tools", ()) if "input_schema" in tool],
                ANTHROPIC_TOOL_NAME)
    assert body.get("tools") or "tool_choice" not in body, "tool_choice only with tools"
    thinking = body.get("thinking") or {}
    assert thinking.get("budget_tokens", 0) < body["max_tokens"], "max_tokens must exceed thinking.budget_tokens"


def blocks_of(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def check_bedrock(body):
    def block(block):
        if "toolUse" in block:
            return "call", block["toolUse"]["toolUseId"]
        if "toolResult" in block:
            return "result", block["toolResult"]["toolUseId"]
        assert block.get("text", "-").strip(), "text must not be blank"
        return "text", block.get("text")
    turns = [(message["role"], [block(each) for each in message["content"]]) for message in body["messages"]]
    roles = [role for role, _ in turns]
    assert all(one != other for one, other in zip(roles, roles[1:])), "roles must alternate"
    check_turns(turns)
    assert all(each["text"].strip() for each in body.get("system", ()))
    tools = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", ())]
    check_tools([(tool["name"], tool["inputSchema"]["json"]) for tool in tools], BEDROCK_TOOL_NAME)
    uses_tools = any(kind in ("call", "result") for _, blocks in turns for kind, _ in blocks)
    assert tools or not uses_tools, "toolConfig must be defined when using toolUse and toolResult"


def check_turns(turns):
    """The results of a turn's calls stand first in the next turn."""
    assert turns[0][0] == "user", "the first message is the user's"
    open_calls = []
    for index, (role, blocks) in enumerate(turns):
        assert blocks or index == len(turns) - 1, "content must not be empty"
        results = [value for kind, value in blocks if kind == "result"]
        assert sorted(results) == sorted(open_calls), f"calls {open_calls} have the results {results}"
        kinds = [kind for kind, _ in blocks]
        assert kinds[:len(results)] == ["result"] * len(results), "results of tools come first"
        open_calls = [value for kind, value in blocks if kind == "call"]
        assert role == "assistant" or not open_calls, "calls are the assistant's"
        assert all(CALL_ID.fullmatch(id) for id in open_calls), open_calls
        assert len(set(open_calls)) == len(open_calls), "ids of calls must be unique"
    assert not open_calls, f"calls without results: {open_calls}"
    if turns[-1][0] == "assistant" and blocks and blocks[-1][0] == "text":
        assert blocks[-1][1] == blocks[-1][1].rstrip(), "the last text must not end in white space"


def check_tools(tools, name, needs_properties=False):
    names = [each for each, _ in tools]
    assert len(set(names)) == len(names), "names of tools must be unique"
    for each, schema in tools:
        assert name.fullmatch(each), f"a tool's name is {each}"
        assert schema is None or schema.get("type") == "object", f"a schema of an object: {schema}"
        assert schema is None or not needs_properties or "properties" in schema, "object schema missing properties"
