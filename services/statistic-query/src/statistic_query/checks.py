"""Whose a check is: the holder of a service's key sees those of this service (contract B.0)."""

from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.directory import Caller
from pinghome_common.errors import no_check
from statistic_query.owned import Owned


async def find(db: Connection, caller: Caller, named: UUID | str) -> Owned:
    """A caller's check that is named by its id, or by its unique key.

    Raises:
        NotFound: there is none.
        PermissionDenied: the id is that of another service's; unique keys are looked for in this one only.
    """
    by = "id" if isinstance(named, UUID) else "unique_key"
    rows = await db.fetch(
        f"SELECT id, created_at, organisation, service FROM monitor WHERE {by} = $1 AND noun = 'heartbeat'",  # noqa: S608
        named,
    )
    for row in rows:
        if (row["organisation"], row["service"]) == (caller.organisation, caller.service):
            return Owned(row["id"], row["created_at"])
    raise no_check(elsewhere=bool(rows) and isinstance(named, UUID))
