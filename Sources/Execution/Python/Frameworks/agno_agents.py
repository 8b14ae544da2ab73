"""Calls agents and teams of Agno."""

from sluice_agent import answers, event_loop, handlers


def handler(candidate):
    def call(request, context=None):
        # A session for each attempt: what one that was superseded left in it would be seen twice.
        result = event_loop.run(candidate.arun(
            handlers.prompt(request), session_id=request.get("request_id"), user_id=request.get("user_id")))
        return {"response": answers.text(result.content)}

    return call
