"""Calls graphs of LangGraph: compiled ones, those that are not, and entry points of the functional API.

An attempt begins with the graph's empty state and receives every outcome of the attempts before it again, so it comes
to where they were by itself. That is why a checkpointer in memory, or none, survives the process: its checkpoints are
made anew. Two attempts of a run never share a thread.
"""

from sluice_agent import answers, contexts, handlers, interrupts


def handler(graph):
    from langgraph.checkpoint.memory import InMemorySaver

    if not hasattr(graph, "invoke"):
        graph = graph.compile()
    make_context = contexts.maker(graph.context_schema)

    def call(request, context=None):
        run = graph
        thread = request.get("run_id") or "run"
        if run.checkpointer in (None, True) or isinstance(run.checkpointer, InMemorySaver):
            run = run.copy(update={"checkpointer": InMemorySaver()})
        else:
            thread += "/" + (request.get("request_id") or "attempt")
        return _result(_invoke(run, _input(run, request), {"configurable": {"thread_id": thread}}, make_context(request)))

    return call


def _invoke(graph, value, config, context):
    """Runs the graph to its end, through the interrupts that are decided."""
    from langgraph.types import Command

    decided = interrupts.Decisions()
    while True:
        result = _run(graph, value, config, context)
        asked = result.pop("__interrupt__", None) if isinstance(result, dict) else None
        if not asked:
            return result
        value = Command(resume={each.id: decided.answer(each.value) for each in asked})
        decided.raise_if_pending()


def _run(graph, value, config, context):
    """Runs it synchronously, or in the event loop when a node or a tool is a coroutine alone."""
    from sluice_agent import event_loop

    if any(_is_asynchronous(node) for node in graph.nodes.values()):
        return event_loop.run(graph.ainvoke(value, config, context=context))
    return graph.invoke(value, config, context=context)


def _is_asynchronous(node):
    bound = getattr(node, "bound", None)
    parts = getattr(bound, "steps", None) or [bound]
    tools = [tool for part in parts for tool in getattr(part, "tools_by_name", {}).values()]
    return any(getattr(part, "func", 0) is None and getattr(part, "afunc", None) is not None for part in parts) or any(
        getattr(tool, "func", 0) is None and getattr(tool, "coroutine", None) is not None for tool in tools)


def _input(graph, request):
    """The request in the form that the graph says it takes."""
    schema = _input_schema(graph)
    kind, properties = schema.get("type"), schema.get("properties", {})
    if "messages" in properties:
        return {"messages": handlers.conversation(request)}
    if kind == "string":
        return request["message"]
    if kind == "array":
        return handlers.conversation(request)
    texts = [name for name in properties if name in handlers.TEXT_NAMES] or [
        name for name, each in properties.items() if each.get("type") == "string"][:1]
    if texts:
        return {name: request["message"] for name in texts}
    if kind == "object":
        return {"messages": handlers.conversation(request), "message": request["message"], "input": request["message"]}
    return request["message"]


def _input_schema(graph):
    try:
        return graph.get_input_jsonschema()
    except Exception:
        # Types that have no schema on every version of Python. The names are those of the state.
        names = [name for name in graph.channels if not name.startswith(("__", "branch:"))]
        return {"type": "object", "properties": dict.fromkeys(names, {})}


def _result(result):
    if isinstance(result, dict) and result.get("structured_response") is not None:
        return {"response": answers.text(result["structured_response"])}
    messages = result.get("messages") if isinstance(result, dict) else result
    if isinstance(messages, list) and messages:
        result = messages[-1]
    if hasattr(result, "content"):
        return {"response": answers.of_message(result.content)}
    return {"response": answers.text(result)}
