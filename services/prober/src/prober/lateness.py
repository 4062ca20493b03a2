"""How late a job arrives, measured without trusting this host's clock."""

from prometheus_client import Gauge

SKEW = Gauge("pinghome_prober_clock_skew_seconds", "how far this clock is ahead of the broker's, at most", ["region"])

WINDOW = 300.0
"""Seconds after which the least difference is looked for anew: a clock may be set."""


class Lateness:
    """The least difference between this clock and a job's time is taken for the difference of the clocks."""

    def __init__(self, region: str) -> None:
        self._gauge = SKEW.labels(region)
        self._least = self._before = float("inf")
        self._until = 0.0

    def of(self, at: float, now: float, monotonic: float) -> float:
        """Seconds, 0 or more.

        Args:
            at: when the job was due, in UNIX seconds of the broker's clock.
            now: UNIX seconds of this host's clock.
            monotonic: seconds of a clock that nobody sets.
        """
        difference = now - at
        if monotonic >= self._until:
            self._until = monotonic + WINDOW
            self._before, self._least = self._least, difference
        self._least = min(self._least, difference)
        skew = min(self._least, self._before)
        self._gauge.set(skew)
        return difference - skew
