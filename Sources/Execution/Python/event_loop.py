"""The event loop of frameworks that are asynchronous.

Their clients are made once, with the module, and keep connections that belong to one event loop: with a loop for each
run the second run would meet closed ones. So there is one loop, in a thread of its own, for as long as the process
lives. The context of the caller goes along, and with it the attempt.
"""

import asyncio
import threading

_lock = threading.Lock()
_loop = None


def run(awaitable):
    """Awaits in the loop, and returns the result in the calling thread."""
    return asyncio.run_coroutine_threadsafe(result(awaitable), _running_loop()).result()


async def result(awaitable):
    """A coroutine for any awaitable."""
    return await awaitable


def _running_loop():
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="sluice-event-loop", daemon=True).start()
        return _loop
