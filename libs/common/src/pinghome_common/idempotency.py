"""Answers that are kept for 24 hours, for requests that are repeated with the same key."""

from dataclasses import dataclass
from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.errors import Conflict


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer; `version` is that of the aggregate in its `ETag`."""

    status: int
    body: bytes
    version: int | None


async def claim(tx: Connection, organisation: UUID, key: str, request: bytes) -> Answer | None:
    """The answer that a key had before; None when this is its first request, whose answer `keep` has to keep.

    Args:
        tx: the transaction of the command; an equal request at the same time waits for its end.
        organisation: the caller's.
        key: as the client sent it.
        request: a hash of the request.

    Raises:
        Conflict: the key was used for another request.
    """
    claimed = await tx.fetchval(
        "INSERT INTO idempotency (organisation, key, request) VALUES ($1, $2, $3)"
        " ON CONFLICT (organisation, key) DO NOTHING RETURNING true",
        organisation, key, request,
    )  # fmt: skip
    if claimed:
        return None
    row = await tx.fetchrow(
        "SELECT request, status, body, version FROM idempotency WHERE organisation = $1 AND key = $2", organisation, key
    )
    if row is None or row["request"] != request:
        raise Conflict("This Idempotency-Key was used for another request; use a new one.")
    return Answer(row["status"], row["body"], row["version"])


async def keep(tx: Connection, organisation: UUID, key: str, answer: Answer) -> None:
    """Keeps the answer of a claimed key."""
    await tx.execute(
        "UPDATE idempotency SET status = $3, body = $4, version = $5 WHERE organisation = $1 AND key = $2",
        organisation, key, answer.status, answer.body, answer.version,
    )  # fmt: skip
