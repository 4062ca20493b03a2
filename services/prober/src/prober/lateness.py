"""How late a job arrives, measured without trusting this host's clock."""

from prometheus_client import Gauge

SKEW = Gauge("pinghome_prober_clock_skew_seconds", "upper bound of this clock's lead over the broker's", ["region"])

WINDOW = 300.0
"""Seconds after which the minimum is measured again, because a clock may be set."""


class Lateness:
    """Assumes that the smallest difference between this clock and a job's time is the difference of the clocks."""

    def __init__(self, region: str) -> None:
        self._gauge = SKEW.labels(region)
        self._minimum = self._previous = float("inf")
        self._until = 0.0
        self.skew = 0.0
        """Seconds by which this clock leads the broker's, as far as jobs have told."""

    def of(self, at: float, now: float, monotonic: float) -> float:
        """How late a job is in seconds, 0 or more.

        Args:
            at: when the job was due, in UNIX seconds of the broker's clock.
            now: UNIX seconds of this host's clock.
            monotonic: seconds of a monotonic clock.
        """
        difference = now - at
        if monotonic >= self._until:
            self._until = monotonic + WINDOW
            self._previous, self._minimum = self._minimum, difference
        self._minimum = min(self._minimum, difference)
        self.skew = min(self._minimum, self._previous)
        self._gauge.set(self.skew)
        return difference - self.skew
