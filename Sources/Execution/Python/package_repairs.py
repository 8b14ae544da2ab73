"""Repairs of the published package `runagents`, made where the installed version needs them and nowhere else.

In every version published so far `Agent.chat` passes options that `call_llm` does not take, and the context of a handler
has neither of the methods that the package's own templates tell agents to use.
"""

import functools
import inspect
import json
import urllib.request

CHAT_OPTIONS = ("gateway_url", "model", "system_prompt")
CONTEXT_METHODS = ("chat", "call_tool")
SECONDS_MAX = 120


def install(runtime, agent):
    """Makes `Agent.chat` and the methods of a handler's context work.

    - Parameter agent: the package's class `Agent`; `None` where the package has none.
    """
    if agent is None:
        return
    if not _takes(runtime.call_llm, CHAT_OPTIONS):
        runtime.call_llm = _with_chat_options(runtime)
    for name in CONTEXT_METHODS:
        if not hasattr(runtime.RunContext, name) and hasattr(agent, name):
            setattr(runtime.RunContext, name, _of_new_agent(agent, name))


def _takes(function, names):
    parameters = inspect.signature(function).parameters
    has_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    return has_any or all(name in parameters for name in names)


def _with_chat_options(runtime):
    """The function with the options of `Agent.chat`; a call without them is the package's own."""
    call_llm = runtime.call_llm

    @functools.wraps(call_llm)
    def call(messages, *arguments, gateway_url=None, model=None, system_prompt=None, **options):
        if gateway_url is None and model is None and system_prompt is None:
            return call_llm(messages, *arguments, **options)
        if system_prompt:
            messages = [{"role": "system", "content": system_prompt}, *messages]
        return _completion(
            gateway_url or runtime.LLM_GATEWAY_URL, model or runtime.LLM_MODEL, messages, *arguments, **options)

    # Its options are its own.
    del call.__wrapped__
    return call


def _completion(url, model, messages, tools=None, request_id=None):
    """The whole answer of the model, in OpenAI's format."""
    if not url.endswith("/chat/completions"):
        url = url.rstrip("/") + "/chat/completions"
    body = {"model": model, "messages": messages}
    if tools:
        body |= {"tools": tools, "tool_choice": "auto"}
    headers = {"Content-Type": "application/json"}
    if request_id:
        headers["X-Request-Id"] = request_id
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=SECONDS_MAX) as response:
        return json.loads(response.read())


def _of_new_agent(agent, name):
    """The method of that name of the package's `Agent`, as a method of a context."""

    @functools.wraps(getattr(agent, name))
    def call(self, *arguments, **options):
        return getattr(agent(), name)(*arguments, **options)

    return call
