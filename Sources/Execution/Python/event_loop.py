"""The event loop of handlers and frameworks that are asynchronous.

Their clients are made once, with the module, and keep connections that belong to one event loop: with a loop for each
run the second run would meet closed ones. So there is one loop, in a thread of its own, for as long as the process
lives. The context of the caller goes along, and with it the attempt.
"""

import asyncio
import threading
import traceback

_lock = threading.Lock()
_loop = None


class Exited(Exception):
    """The agent's code asked for the end of its process, which other runs are in."""

    def __init__(self, code):
        super().__init__(f"the agent ended with exit code {code}")
        self.code = code


def run(awaitable):
    """Awaits in the loop, and returns the result in the calling thread."""
    return asyncio.run_coroutine_threadsafe(_result(awaitable), _running_loop()).result()


async def _result(awaitable):
    try:
        return await awaitable
    except (SystemExit, KeyboardInterrupt) as error:
        # Left to themselves they would end the loop.
        raise Exited(getattr(error, "code", 1)) from error


def _running_loop():
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_run_forever, args=(_loop,), name="sluice-event-loop", daemon=True).start()
        return _loop


def _run_forever(loop):
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            # A task that an agent's code left behind raises it through the loop.
            traceback.print_exc()
