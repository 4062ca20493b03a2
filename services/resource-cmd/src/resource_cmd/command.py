"""One command: a caller, one transaction, its events, and the wait until the query side shows them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import TypeVar

from fastapi import Request

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.directory import Caller
from pinghome_common.store import Actor, no_wait
from resource_cmd.accounts.store import Services
from resource_cmd.delivery.store import Channels, Integrations
from resource_cmd.heartbeats.service_heartbeats import ServiceHeartbeats
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from resource_cmd.servers.store import AgentKeys, Servers


class Command:
    """What a route needs to carry out one command of a caller."""

    def __init__(self, request: Request, tx: Connection, caller: Caller, on_event: Callable[..., None]) -> None:
        self.state, self.tx, self.caller = request.app.state, tx, caller
        self.now: datetime = now()
        actor = Actor(str(caller.key), caller.organisation, request.scope["state"]["request_id"])
        self._parts = (tx, actor, on_event, self.now)
        self._only_recorded = (tx, actor, partial(on_event, names=("resource-query",)), self.now)

    @cached_property
    def resources(self) -> Resources:
        """The caller's monitors; whoever asks for them may change what the scheduler has to do."""
        return Resources(*self._parts)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """The caller's heartbeats."""
        return Heartbeats(*self._parts)

    @cached_property
    def in_service(self) -> ServiceHeartbeats:
        """The heartbeats in the service of the caller's key."""
        assert self.caller.service  # noqa: S101  # asked for with such keys only
        return ServiceHeartbeats(*self._parts, service=self.caller.service)

    @cached_property
    def servers(self) -> Servers:
        """The caller's servers."""
        return Servers(*self._parts)

    @cached_property
    def agent_keys(self) -> AgentKeys:
        """The keys of the agents of the caller's servers."""
        return AgentKeys(self.tx, self._parts[1], no_wait, self.now)

    @cached_property
    def services(self) -> Services:
        """The caller's services."""
        return Services(*self._only_recorded)

    @cached_property
    def channels(self) -> Channels:
        """The caller's channels."""
        return Channels(*self._only_recorded)

    @cached_property
    def integrations(self) -> Integrations:
        """The caller's integrations."""
        return Integrations(*self._only_recorded)


C = TypeVar("C", bound=Command)


@asynccontextmanager
async def carry_out(
    request: Request, caller: Caller, type_: type[C], *, in_transaction: bool = True
) -> AsyncIterator[C]:
    """One command of a caller; without a transaction it may consist of one statement only."""
    state = request.app.state
    expected = state.progress.expect()
    try:
        async with state.db.transaction() if in_transaction else state.db.connection() as tx:
            command = type_(request, tx, caller, expected.add)
            yield command
    except BaseException:
        expected.forget()
        raise
    if expected:
        state.relay.wake()
        if "resources" in vars(command):
            state.scheduler.wake()
        await expected.wait()
