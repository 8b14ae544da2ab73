"""Calls agents and workflows of Microsoft's Agent Framework."""

from sluice_agent import event_loop, handlers


def handler(candidate):
    def call(request, context=None):
        return {"response": event_loop.run(_answer(candidate, request))}

    return call


async def _answer(candidate, request):
    result = await candidate.run(handlers.prompt(request))
    if hasattr(result, "get_outputs"):
        return "\n".join(str(output) for output in result.get_outputs())
    return result.text
