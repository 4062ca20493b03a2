"""Deletes each hour what has served its time: answers to repeated requests, deliveries, what nobody verified.

Also what is known of components that there are no more. Domains that are verified no longer are released.
"""

from pinghome_common import retention
from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.store import Actor, no_wait
from statuspage_cmd.pages import domain_claims
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.subscriptions.store import Subscriptions

OLD = {
    "idempotency": "created_at < now() - interval '24 hours'",
    "outage_told": "NOT EXISTS (SELECT FROM statuspage p WHERE p.id = t.page"
    " AND p.state->'components' @> jsonb_build_array(jsonb_build_object('id', t.component)))",
    "asked": "at < now() - interval '1 day'",
    "domain_claim": "released_at < now() - interval '31 days'"
    " AND NOT EXISTS (SELECT FROM statuspage p WHERE p.domain = t.domain)",
    "notification": "NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'",
}
"""By table, the condition of rows that nobody needs any more."""


class Retention(retention.Retention):
    """Looks each hour."""

    def __init__(self, db: Database, addresses: Addresses) -> None:
        super().__init__(db, OLD)
        self._addresses = addresses

    async def round(self, connection: Connection) -> bool:
        """Deletes all that is old now, and releases domains."""
        more = await super().round(connection)
        async with connection.transaction():
            await Subscriptions(connection, Actor(self.lock), no_wait, now()).expire()
        if await self._addresses.refresh():
            await domain_claims.note_verified(connection, self._addresses.domains.values(), now())
        return more
