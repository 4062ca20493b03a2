"""The health of a process's background workers, for `/readyz`."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WINDOW = 60.0
"""Seconds during which a failure counts."""

MOST_FAILURES = 3
"""Failures within `WINDOW` that make a worker count as failing; a single one is just restarted."""

ROUND_LIMIT = 60.0
"""Seconds that a worker's round may take before it counts as stuck."""


class Health:
    """One worker's failures and the beginning of its round; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=MOST_FAILURES)
        self._round_began: float | None = None

    def failed(self, reason: str) -> None:
        """Notes that the worker failed, through no fault of the database or the broker."""
        self._failures.append((self._clock(), reason))

    def round_begins(self) -> None:
        """Notes that the worker begins a round, which ends the previous one."""
        self._round_began = self._clock()

    def rests(self) -> None:
        """Notes that the worker waits for its next round or its restart."""
        self._round_began = None

    def problem(self) -> str | None:
        """Why the worker is unhealthy; None when it is healthy."""
        now = self._clock()
        recent = [reason for at, reason in self._failures if now - at <= WINDOW]
        if len(recent) >= MOST_FAILURES:
            return f"keeps failing: {recent[-1]}"
        if self._round_began is not None and now - self._round_began > ROUND_LIMIT:
            return f"has not finished a round for {now - self._round_began:.0f} s"
        return None


CURRENT: ContextVar[Health | None] = ContextVar("worker_health", default=None)


def round_done() -> None:
    """To be called by a worker in each iteration of a loop that may never rest."""
    if health := CURRENT.get():
        health.round_begins()


@contextmanager
def resting() -> Iterator[None]:
    """Around a worker's wait between two rounds, which belongs to neither."""
    health = CURRENT.get()
    if health:
        health.rests()
    try:
        yield
    finally:
        if health:
            health.round_begins()
