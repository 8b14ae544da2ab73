"""Finds what an agent's module offers to be called, and calls it with a message."""

import functools
import importlib
import inspect
import os
import sys
import traceback

from sluice_agent import answers, attempts, event_loop

# The names that the published runtime looks for; their objects need no framework that is known here.
RUNTIME_NAMES = ("agent", "chain", "executor", "graph", "crew")
OBJECT_NAMES = (*RUNTIME_NAMES, "agent_executor", "root_agent", "app", "workflow", "flow", "team")
FUNCTION_NAMES = ("main",)

# The root of a class's module, the class's name and the module here that calls its objects. The first that fits counts.
FRAMEWORKS = (
    ("langgraph", "Pregel", "langgraph_graphs"),
    ("langgraph", "StateGraph", "langgraph_graphs"),
    ("langchain", "AgentExecutor", "langchain_runnables"),
    ("langchain_classic", "AgentExecutor", "langchain_runnables"),
    ("langchain_core", "Runnable", "langchain_runnables"),
    ("pydantic_ai", "AbstractAgent", "pydantic_ai_agents"),
    ("agents", "Agent", "openai_agents"),
    ("smolagents", "MultiStepAgent", "smolagents_agents"),
    ("crewai", "Crew", "crewai_crews"),
    ("crewai", "Flow", "crewai_crews"),
    ("crewai", "Agent", "crewai_crews"),
    ("google", "App", "google_adk_agents"),
    ("google", "BaseAgent", "google_adk_agents"),
    ("agent_framework", "BaseAgent", "agent_framework_agents"),
    ("agent_framework", "Workflow", "agent_framework_agents"),
    ("ag2", "Agent", "ag2_agents"),
    ("autogen", "ConversableAgent", "ag2_agents"),
    ("llama_index", "BaseWorkflowAgent", "llama_index_agents"),
    ("llama_index", "AgentWorkflow", "llama_index_agents"),
    ("workflows", "Workflow", "llama_index_agents"),
)


class NotCallable(SystemExit):
    """The end of a start whose module cannot be called; its text is the last line that the agent writes."""


def discover(runtime):
    """Sets the runtime's handler from the agent's module.

    - Raises NotCallable where the runtime would answer with its own tool loop although the agent has code.
    """
    entry_point = os.environ.get("USER_ENTRY_POINT", "")
    if not entry_point:
        return
    module = _module(entry_point)
    found = _handler(module, runtime)
    if found is None:
        raise NotCallable(
            f"{entry_point} defines nothing that can be called: define handler(request), or an object "
            "of a supported framework")
    name, handler = found
    runtime.USER_HANDLER = handler
    runtime._log("info", "user_handler_discovered", type=name, module=module.__name__)


def _module(entry_point):
    name = entry_point.removesuffix(".py").replace("/", ".").replace("\\", ".")
    for directory in (".", "/app", os.environ.get("RUNAGENTS_USER_CODE_DIR", "").strip()):
        if directory and directory not in sys.path:
            sys.path.insert(0, directory)
    try:
        return importlib.import_module(name)
    except Exception as error:
        traceback.print_exc()
        raise NotCallable(f"{entry_point} cannot be imported: {type(error).__name__}: {error}") from error


def _handler(module, runtime):
    """The name and the callable of what the module offers; `None` when it offers nothing."""
    handler = getattr(module, "handler", None)
    if callable(handler):
        return "handler_function", _awaited(handler)
    for name, candidate in _candidates(module):
        made = _of_framework(candidate)
        if made is None and name in RUNTIME_NAMES:
            made = _unknown(candidate, name, module, runtime)
        if made is not None:
            return name, _awaited(made)
    for name in FUNCTION_NAMES:
        if callable(getattr(module, name, None)):
            return f"{name}_function", _awaited(getattr(module, name))
    return None


def _candidates(module):
    """The module's objects by name: those with a usual name, then those of frameworks, the last defined first."""
    for name in OBJECT_NAMES:
        if getattr(module, name, None) is not None:
            yield name, getattr(module, name)
    for name, value in reversed(list(vars(module).items())):
        if not name.startswith("_") and not inspect.isclass(value) and _framework(value) is not None:
            yield name, value


def _framework(candidate):
    """The name of the module that calls objects of this kind."""
    for root, class_name, adapter in FRAMEWORKS:
        for kind in type(candidate).__mro__:
            if kind.__name__ == class_name and kind.__module__.partition(".")[0] == root:
                return adapter
    return None


def _of_framework(candidate):
    adapter = _framework(candidate)
    if adapter is None:
        return None
    made = importlib.import_module(f"sluice_agent.{adapter}").handler(candidate)

    @functools.wraps(made)
    def call(request, context=None):
        attempt = attempts.inherited()
        if attempt is not None:
            attempt.pauses_at_model = True
        return made(request, context)

    return call


def _unknown(candidate, name, module, runtime):
    """A callable of an object that no adapter knows; a function counts when the module itself defines it."""
    if inspect.isfunction(candidate):
        return candidate if candidate.__module__ == module.__name__ else None
    return None if inspect.isclass(candidate) else runtime._wrap_framework_object(candidate, name)


def _awaited(handler):
    """The handler, for the runtime to call: a result that has to be awaited is awaited, and one in parts is complete."""

    @functools.wraps(handler)
    def call(*arguments, **options):
        result = handler(*arguments, **options)
        if inspect.isawaitable(result) or inspect.isasyncgen(result):
            return event_loop.run(answers.awaited(result))
        return answers.plain(result)

    @functools.wraps(handler)
    async def call_asynchronously(*arguments, **options):
        return await answers.awaited(handler(*arguments, **options))

    # The runtime awaits a coroutine function itself, in an event loop of the request.
    return call_asynchronously if inspect.iscoroutinefunction(handler) else call


def conversation(request):
    """The messages of a request: its history, then what the user says now."""
    earlier = [
        {"role": entry.get("role", "user"), "content": entry["content"]}
        for entry in request.get("history") or []
        if isinstance(entry, dict) and entry.get("content")
    ]
    return earlier + [{"role": "user", "content": request["message"]}]


def prompt(request):
    """The conversation as one text, for frameworks that take no list of messages."""
    messages = conversation(request)
    if len(messages) == 1:
        return request["message"]
    return "\n".join(f"{message['role']}: {message['content']}" for message in messages)
