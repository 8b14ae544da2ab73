"""Calls agents and workflows of LlamaIndex."""

from sluice_agent import event_loop, handlers


def handler(workflow):
    def call(request, context=None):
        return {"response": str(event_loop.run(_answer(workflow, request)))}

    return call


async def _answer(workflow, request):
    if any(kind.__module__.startswith("llama_index.") for kind in type(workflow).__mro__):
        from llama_index.core.llms import ChatMessage

        history = [ChatMessage(role=each["role"], content=each["content"])
                   for each in handlers.conversation(request)[:-1]]
        return await workflow.run(user_msg=request["message"], chat_history=history)
    return await workflow.run(message=handlers.prompt(request))
