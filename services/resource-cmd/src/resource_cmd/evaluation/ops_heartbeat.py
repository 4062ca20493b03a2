"""The dead man's switch of the platform itself: somebody outside is told, again and again, that all is well."""

import time
from collections.abc import Callable, Mapping

from pinghome_common.app import ReadinessCheck
from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.logs import log
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.worker import Worker
from pinghome_delivery.message import DeliveryError
from pinghome_delivery.web import Web, refused

RETRY = 5.0
"""Seconds after which a request that failed is made again."""
PROJECTIONS = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query")


class OpsHeartbeat(Worker):
    """Requests a URL in each period in which every part of the platform has shown a sign of life.

    One that is withheld is made as soon as all is well.

    Args:
        db: of this service.
        checks: the readiness checks of this process.
        progress: of all `PROJECTIONS`.
        web: the way out.
        url: what is requested.
        period: seconds between two requests, and for which a part may be silent.
    """

    lock = "ops heartbeat"

    def __init__(
        self,
        db: Database,
        checks: Callable[[], Mapping[str, ReadinessCheck]],
        progress: ProjectionProgress,
        web: Web,
        url: str,
        period: float,
    ) -> None:
        super().__init__(db)
        self._checks, self._progress, self._web, self._url, self._period = checks, progress, web, url, period
        self._due = 0.0
        self._logged = ""

    async def round(self, connection: Connection) -> bool:
        """Requests the URL if that is due and all is well."""
        if time.monotonic() < self._due:
            return False
        problem = await self._problem(connection) or await self._send()
        if problem and problem != self._logged:
            log.warning("ops_heartbeat_not_sent", reason=problem)
        elif self._logged and not problem:
            log.info("ops_heartbeat_sent_again")
        self._logged = problem
        return False

    async def _send(self) -> str:
        """Requests the URL; why that failed, or nothing."""
        self._due = time.monotonic() + RETRY
        try:
            answer = await self._web.request("GET", self._url, {}, most=0)
            if not 200 <= answer.status < 300:
                raise refused("the receiver", answer)
        except DeliveryError as error:
            return str(error)
        self._due += self._period - RETRY
        return ""

    async def _problem(self, connection: Connection) -> str:
        """The first thing that is not well; empty if all is."""
        for part, check in self._checks().items():
            if found := await check():
                return f"{part}: {found}"
        if silent := self._progress.silent(self._period):
            return f"the projection of {silent[0]} is silent"
        since = micros(now()) - round(self._period * MICRO)
        seen = await connection.fetchrow(_SEEN, since)
        if seen["heard"] is None or seen["heard"] < since:
            return "no gateway is heard"
        if seen["late"]:
            return "deadlines are not judged"
        return "events are not published" if seen["waiting"] else ""


# What gateways say each second goes through the broker, evaluation and this database. A gateway that has been silent
# for ten minutes is gone.
_SEEN = """
SELECT (SELECT min(ticked_at) FROM gateway WHERE ticked_at > (SELECT max(ticked_at) FROM gateway) - 600000000) AS heard,
    EXISTS (SELECT FROM runtime_state WHERE alert_after < $1 AND NOT EXISTS (
        SELECT FROM dead_letter d WHERE d.worker = 'deadlines' AND d.key = heartbeat::text
    )) AS late,
    EXISTS (
        SELECT FROM events WHERE published_seq IS NULL AND created_at < to_timestamp($1::bigint / 1000000.0)
    ) AS waiting
"""
