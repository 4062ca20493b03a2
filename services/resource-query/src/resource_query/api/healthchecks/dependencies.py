"""What routes depend on: the caller and the heartbeats of the service that its key belongs to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects.healthchecks import authorize
from pinghome_common.directory import Caller
from resource_query.project import NAME
from resource_query.service_heartbeats import ServiceHeartbeats


@dataclass(slots=True)
class Query:
    """An authorized query on one service."""

    caller: Caller
    heartbeats: ServiceHeartbeats


@asynccontextmanager
async def heartbeats_of(request: Request, caller: Caller) -> AsyncIterator[ServiceHeartbeats]:
    """The heartbeats of the caller's service, on a connection of their own."""
    assert caller.service  # noqa: S101  # every key of this dialect belongs to a service
    async with request.app.state.db.connection() as connection:
        yield ServiceHeartbeats(connection, caller.organisation, caller.service)


async def _query(request: Request) -> AsyncIterator[Query]:
    caller = authorize(request, read=True)
    await request.app.state.progress.reached(NAME, "TELEMETRY")
    async with heartbeats_of(request, caller) as heartbeats:
        yield Query(caller, heartbeats)


Querying = Annotated[Query, Depends(_query, scope="function")]
"""A query that a read-only key may make, after all telemetry is applied."""
