"""One command of a PingHome caller: `If-Match`, `Idempotency-Key`, and the answer with the aggregate's version."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response

from pinghome_common.db import Connection
from pinghome_common.dialects.pinghome import Authorized, answer, encode, version_wanted
from pinghome_common.directory import Caller
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.resource import Resource
from pinghome_common.events.service import Service
from pinghome_common.store import Row
from resource_cmd import idempotency
from resource_cmd.command import Command, carry_out
from resource_cmd.idempotency import Answer


class PingHomeCommand(Command):
    """What a route needs to carry out one command; `wanted` is the version that the caller expects to change."""

    def __init__(self, request: Request, tx: Connection, caller: Caller, on_event: Callable[..., None]) -> None:
        super().__init__(request, tx, caller, on_event)
        self.wanted = version_wanted(request)
        self._answer: Answer | None = None

    def answer(
        self, body: dict[str, Any], status: int = 200, version: int | None = None, kept: dict[str, Any] | None = None
    ) -> Response:
        """The command's answer; kept for a repeated `Idempotency-Key`, as `kept` where it shows a secret once."""
        self._answer = Answer(status, bytes(encode(kept or body)), version)
        return answer(body, status, version)

    async def claim(self, key: str, request_hash: bytes) -> None:
        """Claims an `Idempotency-Key`.

        Raises:
            Replayed: it was claimed before; this is the answer that it had.
            Conflict: it was used for another request.
        """
        if kept := await idempotency.claim(self.tx, self.caller.organisation, key, request_hash):
            raise Replayed(kept)

    async def keep(self, key: str) -> None:
        """Keeps the answer with the transaction, for 24 hours."""
        if self._answer:
            await idempotency.keep(self.tx, self.caller.organisation, key, self._answer)


class Creation:
    """A creation by one statement, which needs no transaction around it: that saves two round trips.

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


class Replayed(Exception):  # it is an answer
    """The answer that an `Idempotency-Key` had before, in place of doing the same again."""

    def __init__(self, kept: Answer) -> None:
        super().__init__("replayed")
        self.kept = kept


async def render_replayed(_: Request, error: Exception) -> Response:
    """The kept answer, marked as such."""
    assert isinstance(error, Replayed)  # noqa: S101  # registered for this class only
    kept, headers = error.kept, {"Idempotency-Replayed": "true"}
    if kept.version is not None:
        headers["ETag"] = f'"v{kept.version}"'
    return Response(kept.body, kept.status, headers, "application/json")


@asynccontextmanager
async def _carry_out(request: Request, caller: Caller, *, in_transaction: bool) -> AsyncIterator[PingHomeCommand]:
    key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
    if len(key) > 255 or not key.isprintable():
        raise Invalid(FieldError("Idempotency-Key", "at most 255 printable characters"))
    async with carry_out(request, caller, PingHomeCommand, in_transaction=in_transaction or bool(key)) as command:
        if key:
            same = hashlib.sha256(request.url.path.encode() + b"\n" + await request.body()).digest()
            await command.claim(key, same)
        yield command
        if key:
            await command.keep(key)


async def _command(request: Request, caller: Authorized) -> AsyncIterator[PingHomeCommand]:
    async with _carry_out(request, caller, in_transaction=True) as command:
        yield command


async def _creation(request: Request, caller: Authorized) -> AsyncIterator[Creation]:
    async with _carry_out(request, caller, in_transaction=False) as command:
        yield Creation(command)


Commanded = Annotated[PingHomeCommand, Depends(_command, scope="function")]
"""A command in a transaction."""

Creating = Annotated[Creation, Depends(_creation, scope="function")]
"""A creation by one statement."""
