"""Calls agents of smolagents."""

import threading

from sluice_agent import answers, handlers


def handler(agent):
    # An agent keeps the steps of its run in itself: two runs at a time would mix theirs.
    one_run = threading.Lock()

    def call(request, context=None):
        with one_run:
            return {"response": answers.text(agent.run(handlers.prompt(request)))}

    return call
