"""Makes the checks that pings ask for by a slug that nobody has (`?create=1`, contract B.5)."""

from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.event_log import Relay
from pinghome_common.events.provisioning import CheckProvisioned, decode_provision, encode
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.store import Actor
from resource_cmd.heartbeats.service_heartbeats import ServiceHeartbeats


class AutoProvisioning:
    """Answers the gateway's requests.

    Args:
        limit: heartbeats that commands may create in one service; pings may create as many again.
    """

    def __init__(self, db: Database, relay: Relay, progress: ProjectionProgress, limit: int) -> None:
        self._db, self._relay, self._progress, self._limit = db, relay, progress, limit

    async def answer(self, payload: bytes) -> bytes:
        """The heartbeat that has the slug now: one that was there, or a new one with all channels of the service."""
        asked = decode_provision(payload)
        expected = self._progress.expect()
        try:
            async with self._db.transaction() as tx:
                actor = Actor("pings", asked.organisation)
                found = await self._find_or_create(
                    ServiceHeartbeats(tx, actor, expected.add, now(), asked.service), asked.slug
                )
        except BaseException:
            expected.forget()
            raise
        if expected:
            self._relay.wake()
            await expected.wait()
        return encode(found)

    async def _find_or_create(self, heartbeats: ServiceHeartbeats, slug: str) -> CheckProvisioned:
        same = {"slug": slug}
        await heartbeats.alone(same)  # two pings at once create one heartbeat
        row = await heartbeats.like(same)
        if row is None and await heartbeats.has_room(2 * self._limit):
            channels = [each.id for each in await heartbeats.assignable()]
            row = await heartbeats.create({"name": slug, "slug": slug, "channels": channels})
        return CheckProvisioned(row.state.id if row else None)
