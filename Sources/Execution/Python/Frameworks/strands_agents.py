"""Calls agents of Strands."""

import copy
import threading

from sluice_agent import event_loop, handlers


def handler(agent):
    # An agent keeps its conversation in itself. Each attempt starts from the one that its author gave it.
    one_run = threading.Lock()
    messages = copy.deepcopy(agent.messages)

    def call(request, context=None):
        with one_run:
            agent.messages[:] = copy.deepcopy(messages)
            return {"response": str(event_loop.run(agent.invoke_async(handlers.prompt(request)))).strip()}

    return call
