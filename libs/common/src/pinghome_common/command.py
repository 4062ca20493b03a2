"""One command: a caller, one transaction, its events, and the wait until the query side shows them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from typing import Protocol, TypeVar

from fastapi import Request

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.directory import Caller
from pinghome_common.store import Actor


class Command:
    """What a route needs to carry out one command of a caller; a service adds its stores."""

    def __init__(self, request: Request, tx: Connection, caller: Caller, on_event: Callable[..., None]) -> None:
        self.state, self.tx, self.caller = request.app.state, tx, caller
        self.now: datetime = now()
        self._actor = Actor(str(caller.key), caller.organisation, request.scope["state"]["request_id"])
        self._parts = (tx, self._actor, on_event, self.now)

    def committed(self) -> None:
        """Wakes who continues from here; called after a commit with events."""
        self.state.relay.wake()


class Committing(Protocol):
    """What is told of its commit."""

    def committed(self) -> None:
        """Called after a commit with events."""


C = TypeVar("C", bound=Committing)
K = TypeVar("K")


@asynccontextmanager
async def carry_out(
    request: Request,
    caller: K,
    type_: Callable[[Request, Connection, K, Callable[..., None]], C],
    *,
    in_transaction: bool = True,
) -> AsyncIterator[C]:
    """One command of a caller; without a transaction it may consist of one statement only."""
    state = request.app.state
    expected = state.progress.expect()
    try:
        async with state.db.transaction() if in_transaction else nullcontext(state.db) as tx:
            command = type_(request, tx, caller, expected.add)
            yield command
    except BaseException:
        expected.forget()
        raise
    if expected:
        command.committed()
        await expected.wait()
