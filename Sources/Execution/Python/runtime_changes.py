"""Changes to the published runtime, whichever version the agent has."""

import functools
import traceback

from sluice_agent import attempts, handlers


def install(runtime):
    """Changes how the runtime finds the agent's handler, calls it and answers for it."""
    runtime._discover_user_handler = functools.partial(handlers.discover, runtime)
    runtime.AgentHandler.do_POST = _attempted(runtime.AgentHandler.do_POST)
    runtime.AgentHandler._json = _awaiting(runtime.AgentHandler._json)
    # In version 0.2.0 the runtime takes the text alone; the answer's members are added when it is sent.
    name = "_call_user_handler_result" if hasattr(runtime, "_call_user_handler_result") else "_call_user_handler"
    setattr(runtime, name, _pausing(getattr(runtime, name)))
    if hasattr(runtime, "_invoke_user_handler_with_trace"):
        runtime._invoke_user_handler_with_trace = _naming_pending(runtime)


def _attempted(do_post):
    """Handles a request as an attempt."""

    @functools.wraps(do_post)
    def handle(self):
        read = self.headers.get
        attempt = attempts.Attempt(read("X-Run-ID", ""), read("X-Request-Id", ""), read("X-End-User-Id", ""))
        if not attempt.run_id:
            do_post(self)
            return
        with attempts.living(attempt):
            try:
                do_post(self)
            except Exception as error:
                # The runtime closes the connection when a handler raises on `/resume`: that looks like a crash.
                if self.path.endswith("/stream"):
                    raise
                self._json(500, {"error": str(error), "request_id": attempt.request_id})

    return handle


def _pausing(call):
    """Ends a handler that raises while actions are pending without an error.

    Frameworks wrap the gate's refusal in exceptions of their own, so the exception does not say that the run waits.
    """

    @functools.wraps(call)
    def call_pausing(*arguments, **options):
        attempt = attempts.inherited()
        try:
            return call(*arguments, **options)
        except (Exception, attempts.Paused) as error:
            if attempt is None or not attempt.pending:
                # The runtime answers and logs the message alone, which does not say where it was raised.
                traceback.print_exc()
                raise
            text = f"the call waits for a decision: {error}"
            return {"response": text} if call.__name__.endswith("_result") else text

    return call_pausing


def _naming_pending(runtime):
    """Names pending actions that the runtime's own trace has not seen, and saves a checkpoint for each.

    The runtime saves one for the action that it names, but the decision of any other may be the one that resumes the run.
    """
    invoke = runtime._invoke_user_handler_with_trace

    @functools.wraps(invoke)
    def invoke_naming(message, history, request_id="", run_id="", end_user_id="", **options):
        result, tool_calls = invoke(
            message, history, request_id=request_id, run_id=run_id, end_user_id=end_user_id, **options)
        attempt = attempts.inherited()
        result = _with_pending(result, attempt)
        named = result.get("approval_required") or result.get("consent_required")
        named_id = named.get("action_id") if isinstance(named, dict) else None
        for each in attempt.pending if attempt is not None else ():
            if each["action_id"] != named_id:
                runtime._checkpoint_user_handler_pause(
                    run_id, each["action_id"], message, history, request_id, end_user_id, result.get("resume"),
                    resume_kind="consent" if each["code"] == "CONSENT_REQUIRED" else "")
        return result, tool_calls

    return invoke_naming


def _awaiting(send):
    """Names pending actions in each answer to the daemon, also in those of the runtime's own loop."""

    @functools.wraps(send)
    def send_awaiting(self, status, data):
        attempt = attempts.inherited()
        if attempt is not None and attempt.pending and isinstance(data, dict):
            status, data = 200, _with_pending({"response": "", **data}, attempt)
        return send(self, status, data)

    return send_awaiting


def _with_pending(result, attempt):
    pending = attempt.pending if attempt is not None else []
    if not pending or not isinstance(result, dict):
        return result
    if result.get("approval_required") or result.get("consent_required"):
        return result
    key = "consent_required" if pending[0]["code"] == "CONSENT_REQUIRED" else "approval_required"
    return {**result, key: {**pending[0], "action_ids": [each["action_id"] for each in pending]}}
