"""Makes the checks that pings ask for by a slug that nobody has (`?create=1`, contract B.5)."""

from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.event_log import Relay
from pinghome_common.events.provisioning import CheckProvisioned, decode_provision, encode
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.store import Actor
from resource_cmd.heartbeats.checks import Checks


class AutoProvisioning:
    """Answers the gateway's requests.

    Args:
        limit: checks that commands may make in one service; pings may make as many again.
    """

    def __init__(self, db: Database, relay: Relay, echo: ProjectionProgress, limit: int) -> None:
        self._db, self._relay, self._echo, self._limit = db, relay, echo, limit

    async def answer(self, payload: bytes) -> bytes:
        """The check that has the slug now: one that was there, or a new one with all channels of the service."""
        wanted = decode_provision(payload)
        expected = self._echo.expect()
        try:
            async with self._db.transaction() as tx:
                actor = Actor("pings", wanted.organisation)
                made = await self._made(Checks(tx, actor, expected.add, now(), wanted.service), wanted.slug)
        except BaseException:
            expected.forget()
            raise
        if expected:
            self._relay.wake()
            await expected.wait()
        return encode(made)

    async def _made(self, checks: Checks, slug: str) -> CheckProvisioned:
        await checks.alone()  # two pings at once make one check
        row = await checks.like({"slug": slug})
        if row is None and await checks.count() < 2 * self._limit:
            channels = [each.id for each in await checks.assignable()]
            row = await checks.create({"name": slug, "slug": slug, "channels": channels})
        return CheckProvisioned(row.state.id if row else None)
