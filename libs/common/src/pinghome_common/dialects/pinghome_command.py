"""Commands of PingHome callers: `If-Match`, `Idempotency-Key`, and the answer with the aggregate's version."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request, Response

from pinghome_common import idempotency
from pinghome_common.command import Command, carry_out
from pinghome_common.db import Connection
from pinghome_common.dialects.pinghome import Authorized, answer, encode, version_wanted
from pinghome_common.directory import Caller
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.idempotency import Answer


class Answering(Command):
    """A command with its answer; `wanted` is the version that the caller expects to change."""

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


A = TypeVar("A", bound=Answering)


@asynccontextmanager
async def commanding(request: Request, caller: Caller, type_: type[A], *, in_transaction: bool) -> AsyncIterator[A]:
    """A command of a caller, or its earlier answer."""
    key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
    if len(key) > 255 or not key.isprintable():
        raise Invalid(FieldError("Idempotency-Key", "at most 255 printable characters"))
    async with carry_out(request, caller, type_, in_transaction=in_transaction or bool(key)) as command:
        if key:
            same = hashlib.sha256(request.url.path.encode() + b"\n" + await request.body()).digest()
            await command.claim(key, same)
        yield command
        if key:
            await command.keep(key)


def in_transaction(type_: type[A]) -> Callable[[Request, Authorized], AsyncIterator[A]]:
    """The dependency of a route that carries out such a command in a transaction."""

    async def command(request: Request, caller: Authorized) -> AsyncIterator[A]:
        async with commanding(request, caller, type_, in_transaction=True) as it:
            yield it

    return command
