"""The load of a soak: pieces of work with due times, each of which must succeed."""

import collections
import threading
import time

from http_client import HTTPClient

TIMEOUT_SECONDS = 120
RETRIES_MAX = 60
# A moment's read models are made one at a time, and who waits for long is asked to come back.
MAY_RETRY = {"history_busy"}


class UnexpectedAnswer(Exception):
    pass


class SoakClient(HTTPClient):
    """A client whose every answer is the expected one; only a refusal of `MAY_RETRY` is repeated."""

    def __init__(self, sluice, key, statuses):
        super().__init__(sluice.listen_host, sluice.port, key)
        self.statuses = statuses

    def connection(self):
        connection = super().connection()
        connection.timeout = TIMEOUT_SECONDS
        return connection

    def expect(self, status, method, path, body=None):
        for _ in range(RETRIES_MAX):
            answer = self.request(method, path, body)
            self.statuses[answer.status] += 1
            if answer.status == 503 and answer.headers.get("sluice-error-code") in MAY_RETRY:
                time.sleep(int(answer.headers["retry-after"]))
                continue
            break
        if answer.status != status:
            raise UnexpectedAnswer(f"{method} {path}: {answer.status} {answer.content[:300]!r}")
        return answer


class Work(threading.Thread):
    """One kind of work, `total` times at even intervals. What is late is done at once; what fails is kept."""

    def __init__(self, name, total, piece, load):
        super().__init__(name=name, daemon=True)
        self.total, self.piece, self.load = total, piece, load
        self.done, self.failures = 0, []

    def run(self):
        for number in range(self.total):
            due = self.load.begin + (number + 0.5) * self.load.seconds / self.total
            if self.load.ended.wait(max(0.0, due - time.monotonic())):
                return
            try:
                self.piece(number)
                self.done += 1
            except Exception as error:
                self.failures.append(f"{self.name} {number}: {type(error).__name__}: {error}")


class Load:
    """All work beside each other, for so many seconds; then what has begun is finished."""

    def __init__(self, seconds):
        self.seconds, self.begin = seconds, 0.0
        self.ended, self.works = threading.Event(), []

    def add(self, name, total, piece, beside=1):
        """Adds work, divided among as many threads."""
        for index in range(beside):
            share = total // beside + (index < total % beside)
            self.works.append(Work(name, share, piece, self))

    def run(self):
        self.begin = time.monotonic()
        for work in self.works:
            work.start()
        time.sleep(self.seconds)
        self.ended.set()
        for work in self.works:
            work.join(TIMEOUT_SECONDS)
            if work.is_alive():
                work.failures.append(f"{work.name}: not finished {TIMEOUT_SECONDS} s after the end")

    @property
    def failures(self):
        return [failure for work in self.works for failure in work.failures]

    def counts(self):
        """By name, the pieces of work that were done and those that were to be done."""
        counts = collections.defaultdict(lambda: [0, 0])
        for work in self.works:
            counts[work.name][0] += work.done
            counts[work.name][1] += work.total
        return counts
