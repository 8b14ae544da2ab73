"""Carries the attempt into the threads and pools that an agent's code starts."""

import concurrent.futures
import threading

from sluice_agent import attempts


class Carried:
    """A function, run as a part of the attempt that is current when this is made, or of none."""

    def __init__(self, function):
        self.function = function
        self.attempt = attempts.inherited()

    def __call__(self, *arguments, **options):
        with attempts.carrying(self.attempt):
            return self.function(*arguments, **options)


def install():
    """Changes what starts a thread or hands work to one.

    `asyncio` copies the context by itself, and reaches threads through an executor.
    """
    start = threading.Thread.start

    def start_carrying(self):
        if attempts.inherited() is not None:
            # On the instance: classes of threads define `run` themselves.
            self.run = Carried(self.run)
        start(self)

    threading.Thread.start = start_carrying

    submit = concurrent.futures.ThreadPoolExecutor.submit

    def submit_carrying(self, function, /, *arguments, **options):
        return submit(self, Carried(function), *arguments, **options)

    concurrent.futures.ThreadPoolExecutor.submit = submit_carrying


def install_pools(pool):
    """Changes `multiprocessing.pool`: a pool of threads takes work through a queue, where no context follows."""
    for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
        setattr(pool.ThreadPool, name, _carrying_method(getattr(pool.ThreadPool, name)))


def _carrying_method(method):
    def call(self, function, *arguments, **options):
        return method(self, Carried(function), *arguments, **options)

    return call
