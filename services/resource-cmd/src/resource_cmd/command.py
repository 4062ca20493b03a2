"""One command: a caller, one transaction, its events, and the wait until the query side shows them."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.dialects import pinghome
from pinghome_common.directory import Caller
from pinghome_common.errors import Conflict, FieldError, Invalid
from pinghome_common.store import Actor
from resource_cmd.accounts.store import Services
from resource_cmd.delivery.store import Channels, Integrations
from resource_cmd.heartbeats.checks import Checks
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources


class Command:
    """What a route needs to carry out one command of a PingHome caller."""

    def __init__(self, request: Request, tx: Connection, caller: Caller, said: Callable[..., None]) -> None:
        self.state, self.tx, self.caller = request.app.state, tx, caller
        self.now: datetime = now()
        self.wanted = pinghome.version_wanted(request)
        self._answer: tuple[int, bytes, int | None] | None = None
        actor = Actor(str(caller.key), caller.organisation, request.scope["state"]["request_id"])
        self._parts = (tx, actor, said, self.now)
        self._only_recorded = (tx, actor, partial(said, names=("resource-query",)), self.now)

    @cached_property
    def resources(self) -> Resources:
        """The caller's monitors; whoever asks for them may change what the scheduler has to do."""
        return Resources(*self._parts)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """The caller's heartbeats."""
        return Heartbeats(*self._parts)

    @cached_property
    def checks(self) -> Checks:
        """The heartbeats in the service of the caller's key."""
        assert self.caller.service  # noqa: S101  # every key of Healthchecks' dialect is one service's
        return Checks(*self._parts, service=self.caller.service)

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

    def answer(
        self, body: dict[str, Any], status: int = 200, version: int | None = None, kept: dict[str, Any] | None = None
    ) -> Response:
        """The command's answer; kept for a repeated `Idempotency-Key`, as `kept` where it shows a secret once."""
        self._answer = status, bytes(pinghome.encode(kept or body)), version
        return pinghome.answer(body, status, version)

    async def claim(self, key: str, request_hash: bytes) -> None:
        """Claims an `Idempotency-Key`.

        Raises:
            Replayed: it was claimed before; this is the answer that it had.
            Conflict: it was used for another request.
        """
        claimed = await self.tx.fetchval(
            "INSERT INTO idempotency (organisation, key, request) VALUES ($1, $2, $3)"
            " ON CONFLICT (organisation, key) DO NOTHING RETURNING true",
            self.caller.organisation, key, request_hash,
        )  # fmt: skip
        if claimed:
            return
        row = await self.tx.fetchrow(
            "SELECT request, status, body, version FROM idempotency WHERE organisation = $1 AND key = $2",
            self.caller.organisation, key,
        )  # fmt: skip
        if row is None or row["request"] != request_hash:
            raise Conflict("This Idempotency-Key was used for another request; use a new one.")
        raise Replayed(row["status"], row["body"], row["version"])

    async def keep(self, key: str) -> None:
        """Keeps the answer with the transaction, for 24 hours."""
        if self._answer:
            await self.tx.execute(
                "UPDATE idempotency SET status = $3, body = $4, version = $5 WHERE organisation = $1 AND key = $2",
                self.caller.organisation, key, *self._answer,
            )  # fmt: skip


class Replayed(Exception):  # it is an answer
    """The answer that an `Idempotency-Key` had before, in place of doing the same again."""

    def __init__(self, status: int, body: bytes, version: int | None) -> None:
        super().__init__("replayed")
        self.status, self.body, self.version = status, body, version


async def render_replayed(_: Request, error: Exception) -> Response:
    """The kept answer, marked as such."""
    assert isinstance(error, Replayed)  # noqa: S101  # registered for this class only
    headers = {"Idempotency-Replayed": "true"}
    if error.version is not None:
        headers["ETag"] = f'"v{error.version}"'
    return Response(error.body, error.status, headers, "application/json")


@asynccontextmanager
async def carry_out(
    request: Request, caller: Caller, *, one_statement: bool = False, replays: bool = True
) -> AsyncIterator[Command]:
    """One command of a caller; without `replays`, in a dialect that has no such thing, `Idempotency-Key` says nothing.

    With `one_statement` there is no transaction around it.
    """
    state = request.app.state
    key = request.headers.get("idempotency-key", "") if request.method == "POST" and replays else ""
    if len(key) > 255 or not key.isprintable():
        raise Invalid(FieldError("Idempotency-Key", "at most 255 printable characters"))
    expected = state.progress.expect()
    try:
        async with state.db.connection() if one_statement and not key else state.db.transaction() as tx:
            command = Command(request, tx, caller, expected.add)
            if key:
                same = hashlib.sha256(request.url.path.encode() + b"\n" + await request.body()).digest()
                await command.claim(key, same)
            yield command
            if key:
                await command.keep(key)
    except BaseException:
        expected.forget()
        raise
    if expected:
        state.relay.wake()
        if "resources" in vars(command):
            state.scheduler.wake()
        await expected.wait()


async def _command(request: Request, caller: pinghome.Authorized) -> AsyncIterator[Command]:
    async with carry_out(request, caller) as command:
        yield command


async def _creation(request: Request, caller: pinghome.Authorized) -> AsyncIterator[Command]:
    async with carry_out(request, caller, one_statement=True) as command:
        yield command


Commanded = Annotated[Command, Depends(_command, scope="function")]
"""A command in a transaction."""

Creating = Annotated[Command, Depends(_creation, scope="function")]
"""A command of one statement, `Store.add`: it needs no transaction around it, which saves two round trips."""
