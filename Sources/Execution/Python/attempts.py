"""The attempt that a piece of an agent's code belongs to, and the headers that name it at the gate."""

import contextlib
import contextvars
import os
import threading
import urllib.parse

# The names that an agent may spell the gate's loopback address with.
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
PENDING_CODES = frozenset({"APPROVAL_REQUIRED", "CONSENT_REQUIRED"})


class Paused(BaseException):
    """The attempt waits for a decision, and its model is not asked what to do instead.

    It is no `Exception`, because frameworks turn those into text for the model.
    """


class AskedAtImport(BaseException):
    """A model is asked by lines that run while the agent's module is imported, when there is no run to ask for.

    It is no `Exception`, because a script would take it for a refusal and ask again.
    """


class Attempt:
    """One call of the agent for a run, and the calls of it that wait for a person's decision.

    `pauses_at_model` ends it when it asks a model while an action is pending: a model that reads the gate's refusal
    words its next call differently, and that call would be another one than the one to be approved. The calls that the
    model made in parallel are all made before.
    """

    def __init__(self, run_id="", request_id="", user_id=""):
        self.headers = {
            name: value
            for name, value in (("X-Run-ID", run_id), ("X-Request-Id", request_id), ("X-End-User-Id", user_id))
            if value
        }
        self.run_id = run_id
        self.request_id = request_id
        self.pauses_at_model = False
        # A text buffer, when the attempt's answer is what it prints.
        self.printed = None
        self._lock = threading.Lock()
        self._pending = {}

    def note(self, status, code, action_id, tool):
        """Keeps what the gate answered to a call: a pending action, or one that the call has carried out."""
        with self._lock:
            if status == 403 and code in PENDING_CODES:
                self._pending.setdefault(
                    action_id, {"code": code, "action_id": action_id, "run_id": self.run_id, "tool": tool})
            else:
                self._pending.pop(action_id, None)

    @property
    def pending(self):
        """The details of the actions that wait, in the order in which their calls were made."""
        with self._lock:
            return list(self._pending.values())


_current = contextvars.ContextVar("sluice_attempt", default=None)
_live = set()
_live_lock = threading.Lock()


def current():
    """The attempt of the calling code; code that has none belongs to the only live attempt, if there is just one."""
    attempt = _current.get()
    if attempt is not None:
        return attempt
    with _live_lock:
        return next(iter(_live)) if len(_live) == 1 else None


def inherited():
    """The attempt that the context carries, for code that is started in it."""
    return _current.get()


@contextlib.contextmanager
def carrying(attempt):
    """Runs the body as a part of the attempt."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


@contextlib.contextmanager
def living(attempt):
    """Runs the body as the attempt itself."""
    with _live_lock:
        _live.add(attempt)
    try:
        with carrying(attempt):
            yield
    finally:
        with _live_lock:
            _live.discard(attempt)


_is_importing = False


@contextlib.contextmanager
def importing():
    """Runs the body as an import of the agent's module, in which no model is asked."""
    global _is_importing
    _is_importing = True
    try:
        yield
    finally:
        _is_importing = False


# Ends of the paths of models that write text. Others, as embeddings, may be used while a module is imported.
WRITING_MODELS = ("/completions", "/messages", "/responses")


class Gate:
    """The gate's address, as the agent's environment names it."""

    def __init__(self, environment=os.environ):
        self._addresses = set()
        self._models = urllib.parse.urlsplit(environment.get("GOVERNANCE_URL", "")).path + "/v1/"
        for name in ("GOVERNANCE_URL", "LLM_GATEWAY_URL"):
            parts = urllib.parse.urlsplit(environment.get(name, ""))
            if parts.hostname:
                hosts = LOOPBACK if parts.hostname in LOOPBACK else {parts.hostname}
                self._addresses |= {(host, parts.port or 80) for host in hosts}

    def is_at(self, host, port):
        return (str(host).lower(), int(port or 80)) in self._addresses

    def check(self, host, port, target):
        """Checks a request before it is sent.

        - Raises Paused for one to a model, in an attempt that waits; AskedAtImport where there is no attempt yet.
        """
        if _is_importing and self.is_at(host, port) and urllib.parse.urlsplit(target).path.endswith(WRITING_MODELS):
            raise AskedAtImport("a model is asked while the module is imported")
        attempt = inherited()
        if attempt is None or not attempt.pauses_at_model or not self.is_at(host, port):
            return
        if urllib.parse.urlsplit(target).path.startswith(self._models) and attempt.pending:
            raise Paused("an action of the run waits for a decision")

    def missing_headers(self, host, port, names):
        """The headers to add to a request that already has headers of these lowercase names.

        A request that names another run than the attempt's keeps its own headers alone.
        """
        if not self.is_at(host, port):
            return {}
        attempt = current()
        if attempt is None or "x-run-id" in names and "x-request-id" in names:
            return {}
        return {name: value for name, value in attempt.headers.items() if name.lower() not in names}

    def note(self, host, port, target, status, header):
        """Tells the attempt of an answer; `header` reads one of its headers by its lowercase name."""
        attempt = current()
        if attempt is None or not self.is_at(host, port):
            return
        path = urllib.parse.urlsplit(target).path
        _, found, rest = path.partition("/egress/")
        if found:
            attempt.note(status, header("sluice-code") or "", header("sluice-action") or "", rest.split("/")[0])
