"""Requests of coding agents, in the shapes that their current versions send: with shorter texts, and no private data."""

import base64
import uuid

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n an image").decode()
CACHED = {"cache_control": {"type": "ephemeral"}}
DRAFT_07 = {"$schema": "http://json-schema.org/draft-07/schema#"}
CLAUDE_CODE_HEADERS = {
    "anthropic-version": "2023-06-01", "anthropic-dangerous-direct-browser-access": "true", "x-app": "cli",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14,"
                      "context-management-2025-06-27", "User-Agent": "claude-cli/2.0.55 (external, cli)"}
CLAUDE_CODE_USER = f"user_{'0a1b2c3d' * 8}_account_{uuid.UUID(int=1)}_session_{uuid.UUID(int=2)}"
SYSTEM = [
    {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude.", **CACHED},
    {"type": "text", "text": "\nYou are an interactive CLI tool.\n\n# Tone\nBe concise. <env>Working directory: /src</env>", **CACHED}]


def text(words, **more):
    return {"type": "text", "text": words} | more


def claude_tool(name, description, properties, required=(), **more):
    return {"name": name, "description": description, "input_schema": {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
        **DRAFT_07} | more}


CLAUDE_CODE_TOOLS = [
    claude_tool("Bash", "Executes a bash command.", {
        "command": {"type": "string", "description": "The command to execute"},
        "timeout": {"type": "number", "description": "Optional timeout in milliseconds (max 600000)"},
        "run_in_background": {"type": "boolean"}}, ["command"]),
    claude_tool("AskUserQuestion", "Asks the user.", {"questions": {
        "type": "array", "minItems": 1, "maxItems": 4, "items": {
            "type": "object", "additionalProperties": False, "required": ["question", "options"], "properties": {
                "question": {"type": "string"}, "multiSelect": {"type": "boolean", "default": False},
                "options": {"type": "array", "items": {"type": "object", "properties": {"label": {"type": "string"}}}}}}},
        "answers": {"type": "object", "additionalProperties": {"type": "string"}}}, ["questions"]),
    {"name": "ExitPlanMode", "description": "Ends planning.", "input_schema": {
        "type": "object", "properties": {}, "additionalProperties": True, **DRAFT_07}},
    # Servers of the Model Context Protocol write schemas of every kind.
    {"name": "mcp__tickets__list_projects", "description": "", "input_schema": {"type": "object"}},
    {"name": "mcp__tickets__search", "input_schema": {
        "type": "object", "properties": {
            "query": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "state": {"const": "open"}, "since": {"type": ["string", "null"], "format": "date-time"},
            "labels": {"type": "array"}, "page": {"type": "integer", "exclusiveMinimum": 0},
            "filter": {"$ref": "#/$defs/Filter"}},
        "$defs": {"Filter": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Filter"}}}}}},
    {"name": "mcp__a_server_with_a_long_name_of_its_own__a_tool_whose_name_is_longer_than_openai_takes",
     "description": "Above 64 characters.", "input_schema": {"type": "object", "properties": {}}},
]
CLAUDE_CODE_TURNS = [
    {"role": "user", "content": [
        text("<system-reminder>\nToday is 2026-11-30.\n</system-reminder>"), text("Which files are here?", **CACHED)]},
    {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "I should list them.", "signature": "c2lnbmF0dXJl" * 8},
        text("I'll look."),
        {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "toolu_01B09q90qw90lq917835lq9", "name": "mcp__tickets__list_projects", "input": {}}]},
    {"role": "user", "content": [
        {"tool_use_id": "toolu_01A09q90qw90lq917835lq9", "type": "tool_result", "content": "main.swift\nREADME ✅",
         "is_error": False},
        {"tool_use_id": "toolu_01B09q90qw90lq917835lq9", "type": "tool_result", "is_error": True, "content": [
            text("<tool_use_error>no such server</tool_use_error>")]},
        text("[Request interrupted by user for tool use]"), text("Go on, and say hello.", **CACHED)]},
]


def claude_code(**more):
    return {
        "messages": CLAUDE_CODE_TURNS, "system": SYSTEM, "tools": CLAUDE_CODE_TOOLS, "max_tokens": 32000, "stream": True,
        "metadata": {"user_id": CLAUDE_CODE_USER}, "thinking": {"type": "enabled", "budget_tokens": 31999}} | more


MESSAGES = {
    "claude-code": claude_code(context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}),
    "claude-code-first-turn": claude_code(messages=CLAUDE_CODE_TURNS[:1]),
    "claude-code-adaptive": claude_code(thinking={"type": "adaptive"}, output_config={"effort": "high"}),
    "claude-code-instruction-between-turns": claude_code(messages=[
        *CLAUDE_CODE_TURNS, {"role": "assistant", "content": [text("Hello.")]},
        {"role": "system", "content": "The user has switched to plan mode."}, {"role": "user", "content": "And now?"}]),
    "claude-code-empty-result": claude_code(messages=[
        *CLAUDE_CODE_TURNS[:1],
        {"role": "assistant", "content": [{
            "type": "tool_use", "id": "toolu_01C", "name": "Bash", "input": {"command": "true"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01C", "content": ""}]}]),
    "claude-code-no-result": claude_code(messages=[
        *CLAUDE_CODE_TURNS[:1],
        {"role": "assistant", "content": [{
            "type": "tool_use", "id": "toolu_01C", "name": "Bash", "input": {"command": "true"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01C"}]}]),
    "claude-code-calls-of-another-provider": claude_code(messages=[
        *CLAUDE_CODE_TURNS[:1],
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "functions.Bash:0", "name": "Bash", "input": {"command": "true"}},
            {"type": "tool_use", "id": "call_" + "x" * 59, "name": "Bash", "input": {"command": "false"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "functions.Bash:0", "content": "done"},
            {"type": "tool_result", "tool_use_id": "call_" + "x" * 59, "content": "failed", "is_error": True}]}]),
    "claude-code-picture": claude_code(messages=[{"role": "user", "content": [
        text("[Image #1] What is this?"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]}]),
    "claude-code-picture-as-result": claude_code(messages=[
        *CLAUDE_CODE_TURNS[:1],
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_01D", "name": "Bash", "input": {"command": "Read chart.png"}},
            {"type": "tool_use", "id": "toolu_01E", "name": "Bash", "input": {"command": "Read notes"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_01D", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]},
            {"type": "tool_result", "tool_use_id": "toolu_01E", "content": "some notes"}]}]),
    "claude-code-quota": {
        "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}], "metadata": {"user_id": CLAUDE_CODE_USER}},
    "claude-code-title": {
        "max_tokens": 32000, "stream": True, "temperature": 1, "tools": [], "system": SYSTEM,
        "metadata": {"user_id": CLAUDE_CODE_USER},
        "messages": [{"role": "user", "content": [text("Which files are here?")]}],
        "output_config": {"format": {"type": "json_schema", "schema": {
            "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"],
            "additionalProperties": False}}}},
    "claude-code-beginning-of-an-answer": {
        "max_tokens": 512, "temperature": 0, "system": SYSTEM, "stop_sequences": ["</block>"], "messages": [
            {"role": "user", "content": [text("Is this command safe? ls")]},
            {"role": "assistant", "content": [text("<block> ")]}]},
}
SHELL = {"type": "function", "function": {
    "name": "shell", "description": "Runs a command.", "strict": False, "parameters": {
        "type": "object", "properties": {"command": {"type": "array", "items": {"type": "string"}}},
        "required": ["command"], "additionalProperties": False, **DRAFT_07}}}
FINISH = {"type": "function", "function": {"name": "attempt_completion"}}
DEVELOPER = {"role": "developer", "content": [text("You are Cline, a skilled software engineer.", **CACHED)]}
TASK = {"role": "user", "content": [text("<task>\nFix the bug 🐛\n</task>"), text("<environment_details>\n# Open tabs\n")]}
CALLED = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
    {"index": 0, "id": "call_Xy1", "type": "function", "function": {"name": "shell", "arguments": '{"command":["ls"]}'}},
    {"index": 1, "id": "call_Xy2", "type": "function", "function": {"name": "attempt_completion", "arguments": ""}}]}
RESULTS = [
    {"role": "tool", "tool_call_id": "call_Xy1", "content": [text("main.swift"), text("README")]},
    {"role": "tool", "tool_call_id": "call_Xy2", "content": ""}]
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
CHAT = {
    "cline": {
        "messages": [DEVELOPER, TASK], "temperature": 0, "max_completion_tokens": 8192, "reasoning_effort": "medium",
        **STREAMED},
    "cline-with-calls": {
        "messages": [DEVELOPER, TASK, CALLED, *RESULTS], "tools": [SHELL, FINISH], "tool_choice": "auto",
        "parallel_tool_calls": True, "max_completion_tokens": 8192, "reasoning_effort": "high", **STREAMED},
    "opencode": {
        "messages": [
            {"role": "system", "content": "You are opencode."}, {"role": "system", "content": "# Environment"}, TASK,
            CALLED | {"content": None}, *RESULTS, {"role": "user", "content": "Go on."}],
        "tools": [SHELL, FINISH], "tool_choice": "auto", "max_tokens": 32000, "temperature": 0, "top_p": 1, **STREAMED},
    "aider": {
        "messages": [
            {"role": "system", "content": "Act as an expert software developer."},
            {"role": "user", "content": "*main.swift*\n```\nlet a = 1\n```"}, {"role": "assistant", "content": "Ok."},
            {"role": "user", "content": "Rename a."},
            {"role": "system", "content": "ALWAYS use SEARCH/REPLACE blocks."}],
        "temperature": 0, "stream": True},
    "aider-goes-on": {
        "messages": [
            {"role": "system", "content": "Act as an expert software developer."},
            {"role": "user", "content": "Rename a."}, {"role": "assistant", "content": "<<<<<<< SEARCH\n"}],
        "temperature": 0, "stream": True},
    "every-option": {
        "messages": [TASK], "store": False, "service_tier": "auto", "prompt_cache_key": str(uuid.UUID(int=3)),
        "prompt_cache_retention": "24h", "safety_identifier": "a" * 64, "user": "a.user@example.com", "verbosity": "low",
        "reasoning_effort": "minimal", "metadata": {"session": "1"}, "modalities": ["text"], "n": 1, "seed": 7,
        "logit_bias": {}, "logprobs": False, "frequency_penalty": 0, "presence_penalty": 0, "stop": None,
        "response_format": {"type": "text"}, "audio": None, "functions": None, **STREAMED},
    "empty-answers-sent-back": {
        "messages": [TASK, {"role": "assistant", "content": ""}, {"role": "user", "content": "Hello?"},
                     {"role": "assistant", "content": None, "tool_calls": []}, {"role": "user", "content": "Anyone?"}],
        "tools": [SHELL], **STREAMED},
    "picture": {
        "messages": [{"role": "user", "content": [
            text("What is this?"),
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "auto"}}]}]},
    "calls-of-another-provider": {
        "messages": [
            TASK,
            {"role": "assistant", "content": "\n\n", "tool_calls": [
                {"id": "functions.shell:0", "type": "function", "function": {"name": "shell", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "functions.shell:0", "name": "shell", "content": "done"}],
        "tools": [SHELL], **STREAMED},
}
CODEX_TOOLS = [
    {"type": "function", "name": "shell", "description": "Runs a command.", "strict": False, "parameters": {
        "type": "object", "properties": {
            "command": {"type": "array", "items": {"type": "string"}}, "workdir": {"type": "string"},
            "timeout_ms": {"type": "number"}}, "required": ["command"], "additionalProperties": False}},
    {"type": "function", "name": "update_plan", "description": "Updates the plan.", "strict": False, "parameters": {
        "type": "object", "properties": {"plan": {"type": "array", "items": {
            "type": "object", "properties": {"step": {"type": "string"}, "status": {"type": "string"}},
            "required": ["step", "status"], "additionalProperties": False}}},
        "required": ["plan"], "additionalProperties": False}}]
CODEX_TURNS = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions>on-request</permissions>"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "<environment_context>/src</environment_context>"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Which files are here? 🐚"}]}]
CODEX_CALLS = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "**Listing**"}], "content": None,
     "encrypted_content": "Z0FBQUFB" * 8},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
    {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": "call_Xy1"},
    {"type": "function_call", "name": "update_plan", "arguments": '{"plan":[]}', "call_id": "call_Xy2"},
    {"type": "function_call_output", "call_id": "call_Xy1", "output": '{"output":"main.swift","metadata":{"exit_code":0}}'},
    {"type": "function_call_output", "call_id": "call_Xy2", "output": "Plan updated"}]


def codex(turns, **more):
    return {
        "instructions": "You are a coding agent running in the Codex CLI.", "input": turns, "tools": CODEX_TOOLS,
        "tool_choice": "auto", "parallel_tool_calls": True, "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False, "stream": True, "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": str(uuid.UUID(int=4)), "text": {"verbosity": "medium"}} | more


RESPONSES = {
    "codex": codex(CODEX_TURNS), "codex-with-calls": codex(CODEX_TURNS + CODEX_CALLS),
    "codex-compaction": codex([*CODEX_TURNS, {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "Summarise the conversation."}]}], tools=[], include=[], reasoning=None),
    "codex-picture": codex([{"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}]}]),
    "codex-picture-as-result": codex([*CODEX_TURNS, CODEX_CALLS[2], {
        "type": "function_call_output", "call_id": "call_Xy1", "output": [
            {"type": "input_text", "text": "attached"},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}]}]),
    "vercel": {
        "input": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hello?"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hello!"}], "id": "msg_1"},
            {"role": "user", "content": [{"type": "input_text", "text": "Go on."}]}],
        "max_output_tokens": 500, "temperature": 0, "stream": True},
}
