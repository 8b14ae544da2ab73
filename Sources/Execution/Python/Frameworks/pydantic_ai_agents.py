"""Calls agents of PydanticAI."""

from sluice_agent import answers, contexts, event_loop, handlers


def handler(agent):
    make_dependencies = contexts.maker(getattr(agent, "deps_type", None))

    def call(request, context=None):
        result = event_loop.run(agent.run(
            request["message"], message_history=_history(request), deps=make_dependencies(request)))
        return {"response": answers.text(result.output)}

    return call


def _history(request):
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    return [
        ModelResponse(parts=[TextPart(each["content"])]) if each["role"] == "assistant"
        else ModelRequest(parts=[UserPromptPart(each["content"])])
        for each in handlers.conversation(request)[:-1]
    ] or None
