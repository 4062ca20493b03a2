"""Finding a check: the holder of a service's key may read the checks of this service (contract B.0)."""

from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.dialects.healthchecks import check_not_found
from pinghome_common.directory import Caller
from statistic_query.owned import Owned
from statistic_query.read import Read


async def find_check(db: Connection, caller: Caller, key: UUID | str) -> Owned:
    """The check of the caller's service with an id or a unique key.

    Raises:
        DialectError: 403, the id belongs to a check of another service; 404, there is no such check.
    """
    assert caller.service  # noqa: S101  # every key of this dialect belongs to a service
    read = Read(db, caller.organisation)
    found = await read.heartbeat_of(caller.service, key)
    if found is None:
        raise check_not_found(elsewhere=isinstance(key, UUID) and await read.exists_anywhere(key))
    return found
