"""Calls agents of Haystack."""

from sluice_agent import answers, handlers


def handler(agent):
    def call(request, context=None):
        from haystack.dataclasses import ChatMessage

        result = agent.run(messages=[
            (ChatMessage.from_assistant if each["role"] == "assistant" else ChatMessage.from_user)(each["content"])
            for each in handlers.conversation(request)])
        last = result.get("last_message") or (result.get("messages") or [None])[-1]
        return {"response": answers.text(getattr(last, "text", last))}

    return call
