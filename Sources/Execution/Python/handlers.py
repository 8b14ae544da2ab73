"""Finds what an agent's module offers to be called, and calls it with a message."""

import functools
import importlib
import inspect
import os
import sys
import traceback

from sluice_agent import answers, attempts, event_loop, imports, results

# The names that the published runtime looks for; their objects need no framework that is known here.
RUNTIME_NAMES = ("agent", "chain", "executor", "graph", "crew")
OBJECT_NAMES = (*RUNTIME_NAMES, "agent_executor", "root_agent", "app", "workflow", "flow", "team")
FUNCTION_NAMES = ("main",)
# The members of a request that an agent's own classes may ask for by name.
REQUEST_NAMES = ("message", "user_id", "run_id", "request_id", "history")
# The names that examples give to the text that a graph, a crew or a workflow starts from.
TEXT_NAMES = ("message", "input", "question", "query", "prompt", "topic", "task", "text", "user_input", "request")

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
    ("autogen_agentchat", "BaseChatAgent", "autogen_agents"),
    ("autogen_agentchat", "BaseGroupChat", "autogen_agents"),
    ("agno", "Agent", "agno_agents"),
    ("agno", "Team", "agno_agents"),
    ("strands", "Agent", "strands_agents"),
    ("haystack", "Agent", "haystack_agents"),
    ("dspy", "Module", "dspy_programs"),
)
# The same for classes that an author derives and makes an object of for each run.
CLASSES = (
    ("crewai", "Flow", "crewai_crews"),
    ("workflows", "Workflow", "llama_index_agents"),
)


class NotCallable(SystemExit):
    """The end of a start whose module cannot be called; its text is the last line that the agent writes."""


_agent_module = None


def agent_module():
    """The agent's module."""
    return _agent_module


def discover(runtime):
    """Sets the runtime's handler from the agent's module.

    - Raises NotCallable where the runtime would answer with its own tool loop although the agent has code.
    """
    global _agent_module
    entry_point = os.environ.get("USER_ENTRY_POINT", "")
    if not entry_point:
        return
    _agent_module, ended = _module(entry_point)
    found = _handler(_agent_module, runtime)
    if found is None and ended is not None:
        raise NotCallable(
            f"{entry_point} asks a model while it is imported, in {_line(ended)}, and defines nothing before that can "
            "be called: put those lines into main(message) or handler(request)")
    if found is None:
        raise NotCallable(
            f"{entry_point} defines nothing that can be called: define handler(request), or an object "
            "of a supported framework")
    name, handler = found
    runtime.USER_HANDLER = handler
    runtime._log("info", "user_handler_discovered", type=name, module=_agent_module.__name__)


def _module(entry_point):
    """The agent's module, and the error that ended its import when a script at its end asked a model."""
    name = entry_point.removesuffix(".py").replace("/", ".").replace("\\", ".")
    roots = [each for each in (".", "/app", os.environ.get("RUNAGENTS_USER_CODE_DIR", "").strip()) if each]
    for directory in [each + below for below in ("/src", "") for each in roots]:
        if directory not in sys.path and os.path.isdir(directory):
            sys.path.insert(0, directory)
    # A module in a folder may import the files beside it by their names, as a script does; after all others.
    folder = "/".join(name.split(".")[:-1])
    sys.path.extend(each for each in (f"{root}/{folder}" for root in roots) if folder and os.path.isdir(each))
    try:
        with attempts.importing(), imports.EndableImport(name, attempts.AskedAtImport) as endable:
            return importlib.import_module(name), endable.error
    except (Exception, attempts.AskedAtImport) as error:
        traceback.print_exc()
        raise NotCallable(f"{entry_point} cannot be imported: {type(error).__name__}: {error}") from error


def _line(error):
    """The last line of the agent's own files that led to the error."""
    standard = os.path.dirname(os.__file__)
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", standard)) and "site-packages" not in frame.filename and
        "sluice_agent" not in frame.filename]
    return f"{os.path.basename(own[-1].filename)}, line {own[-1].lineno}" if own else "one of its lines"


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
            return f"{name}_function", _of_script(getattr(module, name))
    for name, candidate in reversed(list(vars(module).items())):
        if inspect.isclass(candidate) and _framework_of_class(candidate) is not None:
            return name, _awaited(_of_framework(candidate))
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


def _framework_of_class(candidate):
    """The same for a class of the author's own, of which no object is needed before a run."""
    if getattr(candidate, "is_crew_class", False):
        return "crewai_crews"
    own = candidate.__module__.partition(".")[0]
    for root, class_name, adapter in CLASSES:
        for kind in candidate.__mro__[1:]:
            if own != root and kind.__name__ == class_name and kind.__module__.partition(".")[0] == root:
                return adapter
    return None


def _of_framework(candidate):
    adapter = _framework_of_class(candidate) if inspect.isclass(candidate) else _framework(candidate)
    if adapter is None:
        return None
    return _pausing_at_models(importlib.import_module(f"sluice_agent.{adapter}").handler(candidate))


def _of_script(function):
    """A script's `main`: it knows of no approvals, and may print its answer."""
    return _pausing_at_models(answers.of_script(_awaited(function)))


def _pausing_at_models(function):
    """The function, whose attempts end at their next question to a model while an action waits."""

    @functools.wraps(function)
    def call(*arguments, **options):
        attempt = attempts.inherited()
        if attempt is not None:
            attempt.pauses_at_model = True
        return function(*arguments, **options)

    return call


class Settled:
    """An object of no framework that is known here, whose methods return results in place of coroutines."""

    METHODS = ("invoke", "run", "kickoff")

    def __init__(self, candidate):
        self._candidate = candidate

    def __getattr__(self, name):
        value = getattr(self._candidate, name)
        return _settled(value) if name in self.METHODS and callable(value) else value


def _settled(method):
    def call(*arguments, **options):
        result = method(*arguments, **options)
        if inspect.isasyncgen(result):
            result = _last(result)
        return event_loop.run(result) if inspect.isawaitable(result) else result

    return call


async def _last(generator):
    last = None
    async for last in generator:
        pass
    return last


def _unknown(candidate, name, module, runtime):
    """A callable of an object that no adapter knows; a function counts when the module itself defines it."""
    if inspect.isfunction(candidate):
        return candidate if candidate.__module__ == module.__name__ else None
    made = None if inspect.isclass(candidate) else runtime._wrap_framework_object(Settled(candidate), name)
    return None if made is None else _pausing_at_models(made)


def _awaited(handler):
    """The handler, for the runtime to call: a result that has to be awaited is awaited in the event loop of the process, and one
    in parts is complete.

    The runtime would await it in a loop of the request, and clients that were made with the module work in one loop alone.
    """

    @functools.wraps(handler)
    def call(*arguments, **options):
        result = handler(*arguments, **options)
        if inspect.isawaitable(result) or inspect.isasyncgen(result):
            return event_loop.run(results.awaited(result))
        return results.plain(result)

    return call


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
