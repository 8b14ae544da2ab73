"""Calls agents of AG2, in its present and in its earlier form."""

import threading

from sluice_agent import event_loop, handlers


def handler(agent):
    # An agent of the earlier form keeps its conversation in itself.
    one_run = threading.Lock()

    def call(request, context=None):
        if hasattr(agent, "ask"):
            return {"response": str(event_loop.run(agent.ask(handlers.prompt(request))).body)}
        with one_run:
            result = agent.run(message=handlers.prompt(request), user_input=False)
            result.process()
            return {"response": str(result.summary)}

    return call
