"""What routes depend on: reads limited to the caller's organisation, and telemetry that has been applied."""

from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects import pinghome
from resource_query.project import NAME
from resource_query.read import Read


async def telemetry_applied(request: Request, _: pinghome.Authorized) -> None:
    """Waits at most half a second until the telemetry in the stream is applied, so that acknowledged pings show."""
    await request.app.state.progress.reached(NAME, "TELEMETRY")


async def _read(request: Request, caller: pinghome.Authorized) -> Read:
    return Read(request.app.state.db, caller.organisation)


Reading = Annotated[Read, Depends(_read)]
