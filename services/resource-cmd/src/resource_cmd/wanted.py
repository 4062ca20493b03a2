"""Makes the checks that pings ask for by a slug that nobody has (`?create=1`, contract B.5)."""

from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.echo import Echo
from pinghome_common.eventlog import Relay
from pinghome_common.events.wanted import Made, Wanted, decode_wanted, encode
from resource_cmd import heartbeat
from resource_cmd.api.pinghome.resource_body import METHODS
from resource_cmd.store import Actor, Heartbeats

PINGS = Actor("pings")

_SLUG = "SELECT id FROM heartbeat WHERE service = $1 AND organisation = $2 AND state->>'slug' = $3 LIMIT 1"
_COUNT = "SELECT count(*) FROM heartbeat WHERE service = $1 AND organisation = $2"
_CHANNELS = "SELECT id FROM channel WHERE organisation = $2 AND state->>'service_id' = $1::text ORDER BY id"


class WantedChecks:
    """Answers the gateway's requests.

    Args:
        limit: checks that commands may make in one service; pings may make as many again.
    """

    def __init__(self, db: Database, relay: Relay, echo: Echo, limit: int) -> None:
        self._db, self._relay, self._echo, self._limit = db, relay, echo, limit

    async def answer(self, payload: bytes) -> bytes:
        """The check that has the slug now: one that was there, or a new one with all channels of the service."""
        wanted = decode_wanted(payload)
        expected = self._echo.expect()
        try:
            async with self._db.transaction() as tx:
                # Two pings at once make one check.
                await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", str(wanted.service))
                found = await tx.fetchval(_SLUG, wanted.service, wanted.organisation, wanted.slug)
                if found is None and await tx.fetchval(_COUNT, wanted.service, wanted.organisation) < 2 * self._limit:
                    found = await _make(Heartbeats(tx, PINGS, expected.add, now()), wanted, tx)
        except BaseException:
            expected.forget()
            raise
        if expected:
            self._relay.wake()
            await expected.wait()
        return encode(Made(found))


async def _make(checks: Heartbeats, wanted: Wanted, tx: Connection) -> UUID:
    channels = await tx.fetch(_CHANNELS, str(wanted.service), wanted.organisation)
    settings = {
        "name": wanted.slug,
        "slug": wanted.slug,
        "service_id": wanted.service,
        "period": 86_400,
        "grace": 3600,
        "manual_resume": False,
        "methods": list(METHODS),
        "channels": [row["id"] for row in channels],
    }
    state = heartbeat.create(uuid7(), wanted.organisation, settings, now(), enabled=True)
    return (await checks.add(state)).state.id
