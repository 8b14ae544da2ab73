"""The object that an agent's tools get beside their arguments: its context, or its dependencies."""

import inspect

from sluice_agent import handlers

UNSTATED = (None, object, type(None))


def maker(kind):
    """A function that returns the object of the class for a request.

    An object that the agent's module defines is used for every run; otherwise one is made of the request's own members,
    as `user_id`.

    - Raises NotCallable when the class needs more than that.
    """
    if kind in UNSTATED or not inspect.isclass(kind):
        return lambda request: None
    defined = [
        value for name, value in vars(handlers.agent_module()).items()
        if type(value) is kind and not name.startswith("_")]
    is_own = kind.__module__ != "builtins"
    if len(defined) == 1 or defined and is_own:
        return lambda request: defined[-1]
    if not is_own:
        raise _unstated(kind, f"which {kind.__name__}")
    parameters = _parameters(kind)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in handlers.REQUEST_NAMES:
            raise _unstated(kind, f"its {name}")
    return lambda request: kind(**{name: request[name] for name in parameters if name in request})


def _unstated(kind, unknown):
    return handlers.NotCallable(
        f"the agent's tools need {kind.__name__}, and {unknown} is not known: define an object of {kind.__name__} in "
        "the module, or handler(request)")


def _parameters(kind):
    names = getattr(kind, "__annotations__", {})
    if issubclass(kind, dict):
        return {name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names}
    try:
        found = inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return {}
    return {
        name: parameter for name, parameter in found.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)}
