"""Calls agents of the OpenAI Agents SDK."""

from sluice_agent import answers, contexts, event_loop, handlers


def handler(agent):
    from agents import Runner, set_default_openai_api, set_tracing_disabled

    # The gate's model routes are those of chat completions.
    set_default_openai_api("chat_completions")
    # Traces would go to OpenAI's own service, which an agent does not reach.
    set_tracing_disabled(True)
    make_context = contexts.maker(_context_class(agent))

    def call(request, context=None):
        result = event_loop.run(
            Runner.run(agent, handlers.conversation(request), context=make_context(request)))
        return {"response": answers.text(result.final_output)}

    return call


def _context_class(agent):
    """The class in `Agent[Class](…)`."""
    arguments = getattr(getattr(agent, "__orig_class__", None), "__args__", ())
    return arguments[0] if arguments else None
