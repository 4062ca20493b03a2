"""Sessions: keys with an end, for which a key or the code of a one-time link is exchanged (contract K)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.directory import Caller
from pinghome_common.errors import Unauthorized
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.secret import new_token, token_hash
from pinghome_common.store import Actor, no_wait
from resource_cmd.accounts.store import Keys

LASTS, CODE_LASTS = timedelta(days=7), timedelta(minutes=10)

MOST = 100
"""Sessions of a key; one more ends the oldest."""

LINK = "console link"
"""The name of a session that a one-time link has opened."""


@dataclass(slots=True)
class Session:
    """A session that was opened now; its token is known to nobody else."""

    id: UUID
    token: str
    expires_at: datetime


async def of_key(tx: Connection, caller: Caller, request: str) -> Session:
    """Opens a session of the caller's key; that of a session goes with the same key and ends no later.

    Raises:
        Unauthorized: the key has been revoked meanwhile.
    """
    stamp = now()
    keys = Keys(tx, Actor(str(caller.key), caller.organisation, request), no_wait, stamp)
    found = {row.state.id: row.state for row in await keys.edit_many([caller.root, caller.key])}
    if not {caller.root, caller.key} <= found.keys():
        raise Unauthorized("Unauthorized")
    await keys.end_sessions(caller.root, but=MOST - 1)
    until = min(stamp + LASTS, caller.expires_at or stamp + LASTS)
    return await _open(keys, caller.organisation, found[caller.root].name, caller.scope, until, caller.root)


async def of_code(tx: Connection, code: str, request: str) -> Session:
    """Opens a session with the code of a link, which nobody can use again; it may write.

    Raises:
        Unauthorized: there is no such code, or no longer.
    """
    stamp = now()
    organisation = await tx.fetchval(
        "DELETE FROM sign_in_code WHERE hash = $1 AND expires_at > $2 RETURNING organisation", token_hash(code), stamp
    )
    if organisation is None:
        raise Unauthorized("This link was used already, or is too old; have another one made.")
    keys = Keys(tx, Actor(LINK, organisation, request), no_wait, stamp)
    return await _open(keys, organisation, LINK, Scope.write, stamp + LASTS)


async def _open(
    keys: Keys, organisation: UUID, name: str, scope: Scope, until: datetime, parent: UUID | None = None
) -> Session:
    token = new_token()
    key = Key(
        id=uuid7(), organisation=organisation, name=name, kind=Kind.bearer, scope=scope, hash=token_hash(token),
        parent=parent, expires_at=until, created_at=keys.now,
    )  # fmt: skip
    await keys.add(key)
    return Session(key.id, token, until)


async def close(tx: Connection, caller: Caller, request: str) -> None:
    """Ends the caller's session, and those that were opened with it; nothing happens when it has ended already."""
    keys = Keys(tx, Actor(str(caller.key), caller.organisation, request), no_wait, now())
    for row in await keys.edit_many([caller.key]):
        await keys.end(row)


async def make_code(tx: Connection, organisation: UUID) -> str:
    """A new code of 128 bits for a link to sign in by, once within ten minutes."""
    code = secrets.token_urlsafe(16)
    await tx.execute(
        "INSERT INTO sign_in_code (hash, organisation, expires_at) VALUES ($1, $2, $3)",
        token_hash(code), organisation, now() + CODE_LASTS,
    )  # fmt: skip
    return code


async def forget_ended(tx: Connection) -> bool:
    """Removes keys of sessions that have ended; true when there may be more."""
    # What was opened with one has ended no later, and goes with it or before it.
    found = await tx.fetch(
        "SELECT id FROM key WHERE expires_at < $1 ORDER BY expires_at, id DESC LIMIT $2", now(), BATCH
    )
    keys = Keys(tx, Actor("retention"), no_wait, now())
    await keys.remove(*await keys.edit_many([each["id"] for each in found]))
    return len(found) == BATCH


BATCH = 500
