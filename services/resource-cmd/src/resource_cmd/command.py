"""What a command of resource-cmd works with: the stores of its nouns."""

from collections.abc import Callable
from functools import cached_property, partial

from fastapi import Request

from pinghome_common import command
from pinghome_common.db import Connection
from pinghome_common.directory import Caller
from pinghome_common.store import no_wait
from resource_cmd.accounts.store import Keys, Services
from resource_cmd.delivery.store import Channels, Integrations
from resource_cmd.heartbeats.service_heartbeats import ServiceHeartbeats
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from resource_cmd.servers.store import AgentKeys, Servers


class Command(command.Command):
    """What a route needs to carry out one command of a caller."""

    def __init__(self, request: Request, tx: Connection, caller: Caller, on_event: Callable[..., None]) -> None:
        super().__init__(request, tx, caller, on_event)
        self._only_recorded = (tx, self._actor, partial(on_event, names=("resource-query",)), self.now)

    def committed(self) -> None:
        """Wakes the relay, and the scheduler where it may have something to do."""
        super().committed()
        if "resources" in vars(self):
            self.state.scheduler.wake()

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
        return AgentKeys(self.tx, self._actor, no_wait, self.now)

    @cached_property
    def keys(self) -> Keys:
        """The caller's organisation's keys, sessions among them; resource-query has them in its audit log."""
        return Keys(*self._only_recorded)

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
