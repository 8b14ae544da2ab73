"""Calls agents and apps of Google's Agent Development Kit."""

from sluice_agent import event_loop, handlers


def handler(candidate):
    def call(request, context=None):
        return {"response": event_loop.run(_answer(candidate, request))}

    return call


async def _answer(candidate, request):
    """Runs the agent in a session of its own: what an attempt that was superseded left in one would be seen twice."""
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    if type(candidate).__name__ == "App":
        runner = InMemoryRunner(app=candidate)
    else:
        runner = InMemoryRunner(agent=candidate, app_name="sluice")
    user = request.get("user_id") or "user"
    session = await runner.session_service.create_session(app_name=runner.app_name, user_id=user)
    message = types.Content(role="user", parts=[types.Part(text=handlers.prompt(request))])
    answer = ""
    async for event in runner.run_async(user_id=user, session_id=session.id, new_message=message):
        if event.is_final_response() and event.content and event.content.parts:
            answer = "".join(part.text or "" for part in event.content.parts)
    return answer
