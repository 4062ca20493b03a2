"""Organisations: made by the operator's command line and at the first start, never over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events.key import Kind, Scope, first_page
from pinghome_common.events.organisation import Organisation
from pinghome_common.events.service import Service
from pinghome_common.secret import new_key, new_token, token_hash
from pinghome_common.settings import Settings
from pinghome_common.store import Row, no_wait
from resource_cmd.accounts import key
from resource_cmd.accounts.store import Organisations, Services


@dataclass(slots=True, kw_only=True)
class Tokens:
    """The secrets of a new organisation and its first service, shown once."""

    bearer: str
    checks: str
    checks_read: str
    ping: str
    status: str = ""
    """Of the first status page, which only the first organisation has."""

    @classmethod
    def generated(cls) -> "Tokens":
        """Fresh ones."""
        return cls(bearer=new_token(), checks=new_key(32), checks_read=new_key(32), ping=new_key(22))


async def create(tx: Connection, name: str, tokens: Tokens) -> tuple[UUID, UUID]:
    """Makes an organisation with a first service and its keys; returns the ids of both."""
    await tx.execute(_LOCK)
    stamp = now()
    organisation = uuid7()
    first = not await tx.fetchval("SELECT EXISTS (SELECT FROM organisation)")
    state = Organisation(id=organisation, organisation=organisation, name=name, operator=first, created_at=stamp)
    await Organisations(tx, key.OPERATOR, no_wait, stamp).add(state)
    service = Service(id=uuid7(), organisation=organisation, name=name, created_at=stamp, updated_at=stamp)
    await Services(tx, key.OPERATOR, no_wait, stamp).add(service)
    await _add_tokens(tx, organisation, service.id, tokens)
    return organisation, service.id


async def _add_tokens(tx: Connection, organisation: UUID, service: UUID, tokens: Tokens) -> None:
    """Adds those of the tokens that are neither there nor were ever revoked; completes the ping key."""
    keys = [
        (Kind.bearer, Scope.write, tokens.bearer, "first token", None, None),
        (Kind.checks, Scope.write, tokens.checks, "first API key", service, None),
        (Kind.checks, Scope.read, tokens.checks_read, "first read-only API key", service, None),
        (Kind.status, Scope.write, tokens.status, "first status token", None, first_page(organisation)),
        (Kind.ping, Scope.write, tokens.ping, "first ping key", service, None),
    ]
    store = key.of_all(tx)
    for kind, scope, token, name, *of in keys:
        taken = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM key WHERE hash = $1) OR EXISTS (SELECT FROM revoked WHERE hash = $1)",
            token_hash(token),
        )
        if token and not taken:
            await key.issue(store, organisation, kind, scope, token, name, *of)
    for row in await store.edit_many(await _unfolded(tx, tokens.ping)):
        row.state.folded = key.folded(Kind.ping, tokens.ping)
        await store.save(row)


async def _unfolded(tx: Connection, ping_key: str) -> list[UUID]:
    rows = await tx.fetch(
        "SELECT id FROM key WHERE hash = $1 AND state->>'kind' = 'ping' AND coalesce(state->>'folded', '') = ''",
        token_hash(ping_key),
    )
    return [row["id"] for row in rows]


async def bootstrap(db: Database, settings: Settings) -> None:
    """Makes the first organisation with the tokens of the environment; later starts add tokens that have changed.

    Organisations that an older version has made get their first event.
    """
    tokens = Tokens(
        bearer=settings.bootstrap_token,
        checks=settings.bootstrap_checks_key,
        checks_read=settings.bootstrap_checks_read_key,
        ping=settings.bootstrap_ping_key,
        status=settings.bootstrap_status_token,
    )
    async with db.transaction() as tx:
        await tx.execute(_LOCK)
        await _announce(tx)
        if not tokens.bearer:
            return
        organisation = await first(tx)
        if organisation is None:
            await create(tx, "First organisation", tokens)
            return
        service = await tx.fetchval("SELECT id FROM service WHERE organisation = $1 ORDER BY id LIMIT 1", organisation)
        await _add_tokens(tx, organisation, service, tokens)


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('bootstrap', 0))"
"""Held by who makes an organisation: only one can be the first."""


async def first(tx: Connection) -> UUID | None:
    """The organisation that was made first, which is the operator's."""
    found: UUID | None = await tx.fetchval("SELECT id FROM organisation ORDER BY created_at, id LIMIT 1")
    return found


async def _announce(tx: Connection) -> None:
    rows = await tx.fetch("SELECT * FROM organisation WHERE version = 0 ORDER BY created_at, id")
    operator = await first(tx)
    for row in rows:
        id_ = row["id"]
        await tx.execute("UPDATE organisation SET organisation = id WHERE id = $1", id_)
        state = Organisation(
            id=id_, organisation=id_, name=row["name"], operator=id_ == operator, created_at=row["created_at"]
        )
        await Organisations(tx, key.OPERATOR, no_wait, now()).save(Row(state, 0), "created")


async def resolve(tx: Connection, organisation: str) -> UUID:
    """The id of an organisation named by id or by its exact, unique name.

    Raises:
        NotFound: none, or several of that name.
    """
    rows = await tx.fetch("SELECT id FROM organisation WHERE id::text = $1 OR name = $1", organisation)
    if len(rows) != 1:
        raise NotFound(f"{len(rows)} organisations are called {organisation!r}; give the id")
    found: UUID = rows[0]["id"]
    return found


async def service_of(tx: Connection, organisation: UUID, service: str) -> UUID:
    """The id of one of an organisation's services; its first one when none is named.

    Raises:
        NotFound: it has no such service.
    """
    found: UUID | None = await tx.fetchval(
        "SELECT id FROM service WHERE organisation = $1 AND ($2 = '' OR id::text = $2) ORDER BY id LIMIT 1",
        organisation, service,
    )  # fmt: skip
    if found is None:
        raise NotFound(f"The organisation has no service {service}")
    return found
