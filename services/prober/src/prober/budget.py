"""Limits the CPU time for evaluating one answer, so that no monitor delays others."""

import time

SECONDS = 0.5
"""CPU seconds for all conditions of an answer."""


class OverBudgetError(Exception):
    """The CPU time is used up."""


class Budget:
    """Counts the CPU time of the calling thread from the first call of `check`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds, self._end = seconds, 0.0

    def check(self) -> None:
        """Called between steps that take milliseconds.

        Raises:
            OverBudgetError: the budget is used up.
        """
        now = time.thread_time()
        self._end = self._end or now + self._seconds
        if now > self._end:
            raise OverBudgetError
