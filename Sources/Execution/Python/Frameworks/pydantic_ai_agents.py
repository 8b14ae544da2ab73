"""Calls agents of PydanticAI."""

from sluice_agent import event_loop, handlers


def handler(agent):
    def call(request, context=None):
        result = event_loop.run(agent.run(request["message"], message_history=_history(request)))
        return {"response": _text(result.output)}

    return call


def _history(request):
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    return [
        ModelResponse(parts=[TextPart(each["content"])]) if each["role"] == "assistant"
        else ModelRequest(parts=[UserPromptPart(each["content"])])
        for each in handlers.conversation(request)[:-1]
    ] or None


def _text(output):
    return output.model_dump_json() if hasattr(output, "model_dump_json") else str(output)
