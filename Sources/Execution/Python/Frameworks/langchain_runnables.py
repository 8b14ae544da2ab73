"""Calls chains and agent executors of LangChain."""

from sluice_agent import answers, handlers


def handler(runnable):
    def call(request, context=None):
        if type(runnable).__name__ == "AgentExecutor":
            history = [(each["role"], each["content"]) for each in handlers.conversation(request)[:-1]]
            result = runnable.invoke({"input": request["message"], "chat_history": history})
        else:
            result = runnable.invoke(_input(runnable, request))
        if isinstance(result, dict):
            result = result.get("output", result)
        if hasattr(result, "content"):
            return {"response": answers.of_message(result.content)}
        return {"response": answers.text(result)}

    return call


def _input(runnable, request):
    """A chain that begins with a prompt takes its variables by name; a model takes the message itself."""
    properties = runnable.get_input_jsonschema().get("properties", {})
    return {name: request["message"] for name in properties} if properties else request["message"]
