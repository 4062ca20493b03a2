"""One run: its seed, its form, the platform, and where progress is told."""

import sys
import time
from dataclasses import dataclass, field
from random import Random

from under_test import Platform


@dataclass
class Run:
    """What every scenario gets; `long` is the form of `make faults`, else that of `make test`."""

    platform: Platform
    seed: int
    long: bool
    begun: float = field(default_factory=time.monotonic)

    def rng(self, purpose: str) -> Random:
        """The same numbers for the same seed and purpose, whatever ran before."""
        return Random(f"{self.seed}/{purpose}")

    def seconds(self, limit: float) -> float:
        """How long something may take: ten times as long in the short form, which plays beside other tests."""
        return limit if self.long else 10 * limit

    def say(self, line: str) -> None:
        """Progress, on stderr."""
        print(f"{time.monotonic() - self.begun:7.1f}  {line}", file=sys.stderr, flush=True)
