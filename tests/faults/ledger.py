"""The ledger of heartbeats: what was sent and what was answered, kept outside of the platform."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self
from uuid import UUID

from under_test import Platform
from wire import LostError, NotSentError, Wire


class Outcome(IntEnum):
    """How a check-in ended for its sender."""

    sent = 0
    acked = 1
    refused = 2
    lost = 3


@dataclass
class Ledger:
    """Check-ins by number; number n goes to heartbeat n modulo their count, with the message `<name>-n`."""

    name: str
    heartbeats: list[UUID]
    outcomes: bytearray = field(default_factory=bytearray)
    begun: list[float] = field(default_factory=list)
    """When each was sent, on the monotonic clock."""
    took: list[float] = field(default_factory=list)
    """Seconds to the end of each."""
    turned_away: int = 0
    """Connections that nobody accepted: nothing was sent."""
    statuses: dict[int, int] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> int:
        """How many ended so."""
        return self.outcomes.count(outcome)

    def between(self, begin: float, end: float) -> list[int]:
        """Those sent in a span of the monotonic clock."""
        return [number for number, at in enumerate(self.begun) if begin <= at < end]

    def message(self, number: int) -> str:
        """What tells one check-in from all others."""
        return f"{self.name}-{number}"

    def of(self, number: int) -> UUID:
        """Its heartbeat."""
        return self.heartbeats[number % len(self.heartbeats)]

    def begin(self) -> int:
        """A new check-in is sent now."""
        self.outcomes.append(Outcome.sent)
        self.begun.append(time.monotonic())
        self.took.append(0.0)
        return len(self.outcomes) - 1

    def end(self, number: int, outcome: Outcome) -> None:
        """How it ended."""
        self.outcomes[number] = outcome
        self.took[number] = time.monotonic() - self.begun[number]


class Pinging:
    """`async with Pinging(platform, ledger, rate)`: sends check-ins at an even rate until it is left.

    Args:
        rate: check-ins a second, at most; slow answers or an absent gateway make it fewer.
        connections: requests in flight at most.
        result: of the next check-in.
    """

    def __init__(
        self,
        platform: Platform,
        ledger: Ledger,
        rate: float,
        connections: int = 64,
        result: Callable[[], str] = lambda: "tick",
    ) -> None:
        self.platform, self.ledger, self.rate = platform, ledger, rate
        self._connections, self._result = connections, result
        self._next = 0.0
        self._going = True
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._next = time.monotonic()
        port = self.platform.ports["data-gateway"]
        self._tasks = [asyncio.create_task(self._client(Wire(port))) for _ in range(self._connections)]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Send no more; returns when all that are under way have ended."""
        self._going = False
        await asyncio.gather(*self._tasks)

    async def _client(self, wire: Wire) -> None:
        ledger = self.ledger
        while True:
            await self._turn()
            if not self._going:
                break
            number = ledger.begin()
            path = f"/v1/heartbeat/{ledger.of(number)}?result={self._result()}&message={ledger.message(number)}"
            while True:
                try:
                    status = (await wire.ask("GET", path)).status
                except NotSentError:
                    ledger.turned_away += 1
                    if self._going:
                        await asyncio.sleep(0.05)
                        continue
                    outcome = Outcome.refused
                except LostError:
                    outcome = Outcome.lost
                else:
                    ledger.statuses[status] = ledger.statuses.get(status, 0) + 1
                    outcome = Outcome.acked if status == 200 else Outcome.refused
                break
            ledger.end(number, outcome)
            if outcome is not Outcome.acked:
                await asyncio.sleep(0.02)
        wire.close()

    async def _turn(self) -> None:
        """Wait for the next slot; slots that were missed for a second are not made up for."""
        now = time.monotonic()
        self._next = max(self._next + 1 / self.rate, now - 1.0)
        if self._next > now:
            await asyncio.sleep(self._next - now)
