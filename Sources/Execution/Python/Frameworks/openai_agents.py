"""Calls agents of the OpenAI Agents SDK."""

from sluice_agent import event_loop, handlers


def handler(agent):
    from agents import Runner, set_default_openai_api, set_tracing_disabled

    # The gate's model routes are those of chat completions.
    set_default_openai_api("chat_completions")
    # Traces would go to OpenAI's own service, which an agent does not reach.
    set_tracing_disabled(True)

    def call(request, context=None):
        result = event_loop.run(Runner.run(agent, handlers.conversation(request)))
        return {"response": str(result.final_output)}

    return call
