"""How the background workers of a process fare, for `/readyz` to tell."""

import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar

WINDOW = 60.0
"""Seconds for which a failure counts."""

MOST_FAILURES = 3
"""Failures within `WINDOW` from which on a worker counts as failing; one may happen, and is started again."""

ROUND_LIMIT = 60.0
"""Seconds that a worker's round may take before it counts as stuck."""


class Health:
    """One worker's failures and its last finished round; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=MOST_FAILURES)
        self._round_at: float | None = None

    def failed(self, reason: str) -> None:
        """Notes that the worker failed, for no fault of the database's or the broker's."""
        self._failures.append((self._clock(), reason))

    def started(self) -> None:
        """Notes that the worker begins its first round."""
        self._round_at = self._clock()

    def round_done(self) -> None:
        """Notes that a round is finished and the next one begins."""
        self._round_at = self._clock()

    def waiting(self) -> None:
        """Notes that the worker does not run: it waits to be started again."""
        self._round_at = None

    def problem(self) -> str | None:
        """Why the worker is not well; None when it is."""
        now = self._clock()
        recent = [reason for at, reason in self._failures if now - at <= WINDOW]
        if len(recent) >= MOST_FAILURES:
            return f"keeps failing: {recent[-1]}"
        if self._round_at is not None and now - self._round_at > ROUND_LIMIT:
            return f"has not finished a round for {now - self._round_at:.0f} s"
        return None


CURRENT: ContextVar[Health | None] = ContextVar("worker_health", default=None)


def round_done() -> None:
    """Called by a worker's own code at each turn of its loop, at least every `ROUND_LIMIT` seconds."""
    if health := CURRENT.get():
        health.round_done()
