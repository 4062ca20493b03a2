"""Commands of PingHome callers on the nouns of resource-cmd."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from pinghome_common.dialects.pinghome import Authorized
from pinghome_common.dialects.pinghome_command import Answering, commanding, in_transaction
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.resource import Resource
from pinghome_common.events.service import Service
from pinghome_common.store import Row
from resource_cmd.command import Command


class PingHomeCommand(Answering, Command):
    """What a route needs to carry out one command."""


class Creation:
    """A creation by one statement, which needs no transaction around it and is shared by those of the same moment.

    It gives only what may be done without a transaction.
    """

    def __init__(self, command: PingHomeCommand) -> None:
        self._command = command
        self.state, self.caller, self.now = command.state, command.caller, command.now
        self.answer = command.answer

    async def check_channels(self, ids: Sequence[UUID] | None) -> None:
        """Raises Invalid when one of `channels` is not the caller's."""
        await self._command.channels.check(ids)

    async def check_parent(self, parent: UUID) -> None:
        """Raises Invalid when `parent_id` names none of the caller's monitors; nothing can depend on a new one yet."""
        await self._command.resources.check_parent(parent)

    async def monitor(self, it: Resource) -> Row[Resource]:
        """Adds a monitor; raises Conflict when there is a duplicate."""
        return await self._command.resources.add(it, unique=True)

    async def heartbeat(self, it: Heartbeat) -> Row[Heartbeat]:
        """Adds a heartbeat; raises Conflict when there is a duplicate."""
        return await self._command.heartbeats.add(it, unique=True)

    async def service(self, it: Service) -> Row[Service]:
        """Adds a service."""
        return await self._command.services.add(it)


async def _creation(request: Request, caller: Authorized) -> AsyncIterator[Creation]:
    async with commanding(request, caller, PingHomeCommand, in_transaction=False) as command:
        yield Creation(command)


Commanded = Annotated[PingHomeCommand, Depends(in_transaction(PingHomeCommand), scope="function")]
"""A command in a transaction."""

Creating = Annotated[Creation, Depends(_creation, scope="function")]
"""A creation by one statement."""
