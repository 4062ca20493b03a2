"""One question: a caller, a connection, and the wait for what was in the stream when it was asked."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects import pinghome
from resource_query.read import Read

NAME = "resource-query"


async def _query(request: Request, caller: pinghome.Authorized) -> AsyncIterator[Read]:
    async with request.app.state.db.connection() as connection:
        yield Read(connection, caller.organisation)


async def telemetry_seen(request: Request, _: pinghome.Authorized) -> None:
    """Waits, half a second at most, until all telemetry that was there is applied: a ping answered 200 is seen."""
    await request.app.state.echo.reached(NAME, "TELEMETRY")


Queried = Annotated[Read, Depends(_query, scope="function")]
