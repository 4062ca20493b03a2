"""What has served its time: answers to repeated requests, deliveries, boots of old gateways, sessions, codes."""

from pinghome_common import retention
from pinghome_common.db import Connection, Database
from resource_cmd.accounts import session

OLD = {
    "idempotency": "created_at < now() - interval '24 hours'",
    "seen": "at < now() - interval '30 days'",
    "notification": "NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'",
    "sign_in_code": "expires_at < now()",
}
"""By table, the condition of rows that nobody needs any more."""


class Retention(retention.Retention):
    """Also removes the keys of sessions that have ended, of which every service is told."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, OLD)

    async def round(self, connection: Connection) -> bool:
        """Deletes all that is old now."""
        await super().round(connection)
        async with connection.transaction():
            return await session.forget_ended(connection)
