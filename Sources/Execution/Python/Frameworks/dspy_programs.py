"""Calls programs of DSPy."""

import inspect

from sluice_agent import answers, handlers


def handler(program):
    signature = getattr(program, "signature", None)

    def call(request, context=None):
        message = handlers.prompt(request)
        prediction = program(**{_input(program, signature): message})
        outputs = [name for name in getattr(signature, "output_fields", ())] or list(prediction.keys())
        return {"response": answers.text(prediction[outputs[-1]])}

    return call


def _input(program, signature):
    """The name of the program's first input."""
    if signature is not None:
        return next(iter(signature.input_fields))
    return next(
        name for name, parameter in inspect.signature(program.forward).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY))
