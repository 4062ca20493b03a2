"""Keys of organisations: made and revoked by those who hold one that may write, and by the operator's command line."""

from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.errors import NotFound
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.items import Item
from pinghome_common.secret import new_key, new_token, token_hash
from pinghome_common.store import Actor, no_wait
from resource_cmd.accounts.store import Keys

OPERATOR = Actor("operator")

LENGTHS = {Kind.checks: 32, Kind.ping: 22, Kind.status: 40}
"""Characters of keys that are letters and digits."""

MOST = 500
"""Keys that an organisation may have by way of HTTP, beside those of servers' agents."""


def of_all(tx: Connection) -> Keys:
    """The keys of all organisations, for the operator."""
    return Keys(tx, OPERATOR, no_wait, now())


def new_token_of(kind: Kind) -> str:
    """A token as those of a kind look."""
    return new_key(LENGTHS[kind]) if kind in LENGTHS else new_token()


def folded(kind: Kind, token: str) -> bytes:
    """The hash of a ping key in lower case; empty for other kinds."""
    return token_hash(token.lower()) if kind is Kind.ping else b""


async def issue(
    keys: Keys,
    organisation: UUID,
    kind: Kind,
    scope: Scope,
    token: str,
    name: str,
    service: UUID | None = None,
    page: UUID | None = None,
) -> Key:
    """Adds one key; relayed to every service within seconds."""
    key = Key(
        id=uuid7(), organisation=organisation, name=name, kind=kind, scope=scope,
        hash=token_hash(token), folded=folded(kind, token), service=service, page=page, created_at=keys.now,
    )  # fmt: skip
    await keys.add(key)
    return key


async def hold_page(tx: Connection, organisation: UUID, page: UUID) -> None:
    """Locks a status page that is to have a key: who deletes its keys when it goes waits, and so finds this one, too.

    Raises:
        NotFound: the organisation has no such page, or it is not known here yet.
    """
    if not await tx.fetchval("SELECT true FROM page WHERE id = $1 AND organisation = $2 FOR SHARE", page, organisation):
        raise NotFound("Status page not found")


async def forget_pages(tx: Connection, items: list[Item]) -> None:
    """Revokes the keys of status pages that events say are deleted."""
    gone = [str(item.value.subject) for item in items if item.value.noun == "statuspage" and item.value.deleted]
    if gone:
        found = await tx.fetch("SELECT id FROM key WHERE state->>'page' = ANY($1::text[])", gone)
        keys = Keys(tx, Actor("pages"), no_wait, now())
        for row in await keys.edit_many([each["id"] for each in found]):
            await keys.revoke(row)


async def list_keys(tx: Connection, organisation: UUID | None) -> list[dict[str, Any]]:
    """The keys of one organisation, or of all, without their hashes; sessions are not among them."""
    rows = await tx.fetch(
        "SELECT k.id::text, o.name AS organisation, k.state->>'name' AS name, k.state->>'kind' AS kind,"
        " k.state->>'scope' AS scope, k.state->>'service' AS service,"
        " k.state->>'page' AS page, k.state->>'created_at' AS created_at"
        " FROM key k JOIN organisation o ON o.id = k.organisation"
        " WHERE k.expires_at IS NULL AND ($1::uuid IS NULL OR o.id = $1) ORDER BY k.id",
        organisation,
    )
    return [dict(row) for row in rows]
