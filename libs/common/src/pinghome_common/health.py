"""The health of a process's background workers, for `/readyz`."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WINDOW = 60.0
"""Seconds during which a failure counts."""

MAX_FAILURES = 3
"""Failures within `WINDOW` that make a worker count as failing; a single one is just restarted."""

ROUND_LIMIT = 60.0
"""Seconds that a worker's round may take before it counts as stuck."""


class Health:
    """One worker's failures and the start of its current round; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=MAX_FAILURES)
        self._round_started: float | None = None

    def failed(self, reason: str) -> None:
        """Records a failure that is not the fault of the database or the broker."""
        self._failures.append((self._clock(), reason))

    def round_begins(self) -> None:
        """Records the start of a round, which ends the previous one."""
        self._round_started = self._clock()

    def rests(self) -> None:
        """Records that the worker waits for its next round or its restart."""
        self._round_started = None

    def problem(self) -> str | None:
        """Why the worker is unhealthy; None if it is healthy."""
        now = self._clock()
        recent = [reason for at, reason in self._failures if now - at <= WINDOW]
        if len(recent) >= MAX_FAILURES:
            return f"keeps failing: {recent[-1]}"
        if self._round_started is not None and now - self._round_started > ROUND_LIMIT:
            return f"has not finished a round for {now - self._round_started:.0f} s"
        return None


CURRENT: ContextVar[Health | None] = ContextVar("worker_health", default=None)


def round_done() -> None:
    """A worker calls this in each iteration of a loop that may never wait."""
    if health := CURRENT.get():
        health.round_begins()


@contextmanager
def resting() -> Iterator[None]:
    """Context of a worker's wait between two rounds, which counts towards neither."""
    health = CURRENT.get()
    if health:
        health.rests()
    try:
        yield
    finally:
        if health:
            health.round_begins()
