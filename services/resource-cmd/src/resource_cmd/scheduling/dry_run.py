"""Dry runs: asks the probers of some regions directly, within bounds."""

import asyncio
from collections import Counter
from uuid import UUID

import msgspec

from pinghome_common.errors import TooMany, Unavailable
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import attempt_deadline
from pinghome_common.events.resource import Resource
from pinghome_common.logs import log
from pinghome_common.secret import derive
from pinghome_common.stream import Broker
from resource_cmd.scheduling.job import sealed_for
from resource_cmd.scheduling.regions import Regions

AT_ONCE = 10
"""Dry runs that one organisation may have under way."""

ON_THE_WAY = 2.0
"""Seconds beyond those of the attempt itself."""


class DryRuns:
    """The dry runs under way."""

    def __init__(self, broker: Broker, secret_key: str, regions: Regions) -> None:
        self._broker, self._own = broker, derive(secret_key, "resource")
        self._regions = regions
        self._running: Counter[UUID] = Counter()

    async def run(self, it: Resource) -> dict[str, DryRun]:
        """What each region of a monitor saw; one that did not answer saw nothing.

        Raises:
            TooMany: the organisation has `AT_ONCE` under way.
        """
        if self._running[it.organisation] >= AT_ONCE:
            raise TooMany(f"Only {AT_ONCE} dry runs at a time; try again when one is over")
        self._running[it.organisation] += 1
        try:
            found = await asyncio.gather(*(self._ask(it, region) for region in it.regions))
        finally:
            self._running[it.organisation] -= 1
        return dict(zip(it.regions, found, strict=True))

    async def _ask(self, it: Resource, region: str) -> DryRun:
        request = sealed_for(it, self._own, self._regions.key(region))
        try:
            data = await self._broker.request(f"probe.{region}", request, attempt_deadline(it.interval) + ON_THE_WAY)
        except Unavailable as error:
            log.info("dry_run_not_answered", region=region, reason=repr(error.__cause__ or error))
            return DryRun()
        return msgspec.msgpack.decode(data, type=DryRun)
