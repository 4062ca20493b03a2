"""One question: a caller, a connection, and the wait for what was in the stream when it was asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects import healthchecks, pinghome
from pinghome_common.directory import Caller
from resource_query.checks import Checks
from resource_query.read import Read

NAME = "resource-query"


async def _query(request: Request, caller: pinghome.Authorized) -> Read:
    return Read(request.app.state.db, caller.organisation)


async def telemetry_seen(request: Request, _: pinghome.Authorized) -> None:
    """Waits, half a second at most, until all telemetry that was there is applied: a ping answered 200 is seen."""
    await request.app.state.progress.reached(NAME, "TELEMETRY")


Queried = Annotated[Read, Depends(_query)]


@dataclass(slots=True)
class Asked:
    """A question in Healthchecks' dialect: whose, and what they may see."""

    caller: Caller
    checks: Checks


@asynccontextmanager
async def checks_of(request: Request, caller: Caller) -> AsyncIterator[Checks]:
    """The checks of the service of a key."""
    assert caller.service  # noqa: S101  # every key of Healthchecks' dialect is one service's
    async with request.app.state.db.connection() as connection:
        yield Checks(connection, caller.organisation, caller.service)


async def _checking(request: Request) -> AsyncIterator[Asked]:
    caller = healthchecks.authorize(request, read=True)
    await request.app.state.progress.reached(NAME, "TELEMETRY")
    async with checks_of(request, caller) as checks:
        yield Asked(caller, checks)


Checking = Annotated[Asked, Depends(_checking, scope="function")]
"""A question on the checks of one service, by a key that may at least read."""
