"""Calls agents and workflows of LlamaIndex."""

import inspect

from sluice_agent import answers, event_loop, handlers


def handler(candidate):
    def call(request, context=None):
        workflow = candidate() if inspect.isclass(candidate) else candidate
        return {"response": event_loop.run(_answer(workflow, request))}

    return call


async def _answer(workflow, request):
    if any(kind.__module__.startswith("llama_index.") for kind in type(workflow).__mro__):
        from llama_index.core.llms import ChatMessage

        history = [ChatMessage(role=each["role"], content=each["content"])
                   for each in handlers.conversation(request)[:-1]]
        result = await workflow.run(user_msg=request["message"], chat_history=history)
        structured = getattr(result, "structured_response", None)
        return answers.text(structured) if structured is not None else str(result)
    return answers.text(await workflow.run(**_inputs(workflow, handlers.prompt(request))))


def _inputs(workflow, message):
    """The message by the fields of the workflow's own first event, or by any name."""
    fields = getattr(getattr(workflow, "start_event_class", None), "model_fields", None)
    if not fields:
        return dict.fromkeys(handlers.TEXT_NAMES, message)
    texts = [name for name in fields if name in handlers.TEXT_NAMES]
    return dict.fromkeys(texts or [name for name, field in fields.items() if field.is_required()], message)
