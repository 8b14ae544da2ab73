"""Calls crews, flows and agents of CrewAI."""

import threading

from sluice_agent import handlers


def handler(candidate):
    # Tasks keep their output in themselves: two runs at a time would mix theirs.
    one_run = threading.Lock()

    def call(request, context=None):
        with one_run:
            if hasattr(candidate, "kickoff") and type(candidate).__name__ == "Agent":
                return {"response": str(candidate.kickoff(handlers.prompt(request)))}
            message = handlers.prompt(request)
            names = ("message", "input", "topic", "query", "question", "task")
            return {"response": str(candidate.kickoff(inputs={name: message for name in names}))}

    return call
