"""Limits the CPU time for evaluating one answer, so that no monitor delays the others."""

import time

SECONDS = 0.5
"""CPU seconds of the thread that judges, for all conditions of an answer."""


class OverBudgetError(Exception):
    """The judgement would take longer than it may."""


class Budget:
    """Counts the CPU time of the thread that asks, from the first time it asks."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds, self._end = seconds, 0.0

    def check(self) -> None:
        """Called between steps that take milliseconds.

        Raises:
            OverBudgetError: it is spent.
        """
        now = time.thread_time()
        self._end = self._end or now + self._seconds
        if now > self._end:
            raise OverBudgetError
