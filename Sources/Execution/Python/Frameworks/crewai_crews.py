"""Calls crews, flows and agents of CrewAI, and classes of the author's that make them."""

import datetime
import inspect
import threading

from sluice_agent import answers, handlers


def handler(candidate):
    # Tasks keep their output in themselves: two runs at a time would mix theirs.
    one_run = threading.Lock()

    def call(request, context=None):
        with one_run:
            return {"response": _answer(_made(candidate), handlers.prompt(request))}

    return call


def _made(candidate):
    """The object to start, made of the author's class."""
    made = candidate() if inspect.isclass(candidate) else candidate
    return made.crew() if getattr(type(made), "is_crew_class", False) else made


def _answer(candidate, message):
    if type(candidate).__name__ == "Agent":
        return str(candidate.kickoff(message))
    result = candidate.kickoff(inputs=_inputs(candidate, message))
    if hasattr(result, "tasks_output"):
        return str(result) if result.pydantic is None else answers.text(result.pydantic)
    return answers.text(result)


def _inputs(candidate, message):
    """The message by the names that the texts of a crew use; the time by its own."""
    names = {*handlers.TEXT_NAMES, *(candidate.fetch_inputs() if hasattr(candidate, "fetch_inputs") else ())}
    today = datetime.date.today()
    times = {"current_year": str(today.year), "year": str(today.year), "current_date": str(today), "date": str(today)}
    return {name: times.get(name, message) for name in names}
