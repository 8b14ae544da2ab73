"""Calls agents and teams of AutoGen."""

import threading

from sluice_agent import answers, event_loop, handlers


def handler(candidate):
    # Agents and teams keep their conversation in themselves.
    one_run = threading.Lock()

    def call(request, context=None):
        with one_run:
            return {"response": event_loop.run(_answer(candidate, handlers.prompt(request)))}

    return call


async def _answer(candidate, message):
    """Runs it from its first state: what an attempt that was superseded left in it would be seen twice."""
    if hasattr(candidate, "on_reset"):
        from autogen_core import CancellationToken

        await candidate.on_reset(CancellationToken())
    else:
        await candidate.reset()
    result = await candidate.run(task=message)
    return answers.text(result.messages[-1].content) if result.messages else ""
