"""The commands for organisations and keys, which use the database of the running platform."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
import uvloop

from pinghome_common.db import Connection, Database
from pinghome_common.errors import DomainError, NotFound
from pinghome_common.events.key import Kind, Scope
from pinghome_common.settings import Settings
from resource_cmd.accounts import key as accounts_key
from resource_cmd.accounts import organisation

organisations = typer.Typer(
    name="organisation", no_args_is_help=True, help="Organisations, each with its own monitors."
)
keys = typer.Typer(
    name="keys", no_args_is_help=True, help="Keys of organisations; a change reaches every service within 5 s."
)


def _run(work: Callable[[Connection], Awaitable[Any]]) -> None:
    """The same as `run`, and prints the result as JSON."""
    typer.echo(json.dumps(run(work), indent=2, default=str))


def run(work: Callable[[Connection], Awaitable[Any]]) -> Any:
    """Runs `work` in a transaction and waits until its events are published."""
    return uvloop.run(_with_database(work))


async def _with_database(work: Callable[[Connection], Awaitable[Any]]) -> Any:
    async with Database(running_settings().database("resource_cmd"), size=1) as db:
        async with db.transaction() as tx:
            answer = await work(tx)
        for _ in range(50):
            async with db.connection() as connection:
                if not await connection.fetchval("SELECT EXISTS (SELECT FROM events WHERE published_seq IS NULL)"):
                    return answer
            await asyncio.sleep(0.1)
        typer.secho("stored; the services will apply it when the message broker is back", err=True, fg="yellow")
        return answer


def running_settings() -> Settings:
    """The settings with the database of the platform that uses this data folder.

    Raises:
        DomainError: the platform is not running.
    """
    settings = Settings()
    if settings.database_url and settings.nats_url:
        return settings
    try:
        running = json.loads((settings.data / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        if settings.database_url:
            return settings
        raise DomainError(
            f"Pinghome is not running on {settings.data.absolute()}; start it with `pinghome up`."
        ) from None
    return settings.but(database_url=running["database_url"], nats_url=running["nats_url"])


@organisations.command("create")
def create(name: str) -> None:
    """Create an organisation with a first service; print its keys as JSON, once."""

    async def work(tx: Connection) -> dict[str, Any]:
        tokens = organisation.Tokens.generated()
        id_, service = await organisation.create(tx, name, tokens)
        return {"id": id_, "name": name, "service_id": service, **_named(tokens)}

    _run(work)


def _named(tokens: organisation.Tokens) -> dict[str, str]:
    """The tokens, named by the kinds of `keys create --kind`."""
    found = asdict(tokens)
    return {"token": found["bearer"], **{f"{kind}_key": found[kind] for kind in ("checks", "checks_read", "ping")}}


@keys.command("create")
def create_key(
    of: Annotated[str, typer.Argument(metavar="ORGANISATION", help="Its id, or its name if that is unique.")],
    *,
    kind: Annotated[
        Kind, typer.Option(help="bearer: PingHome's API; checks, ping: Healthchecks'; status: PingPong's.")
    ] = Kind.bearer,
    scope: Annotated[Scope, typer.Option(help="What the key allows.")] = Scope.write,
    name: Annotated[str, typer.Option(help="A name for the key.")] = "",
    service: Annotated[str, typer.Option(help="The service of a checks or ping key, by id.")] = "",
    page: Annotated[str, typer.Option(help="The status page of a status token, by its subdomain.")] = "",
) -> None:
    """Create a key; print it as JSON, once."""

    async def work(tx: Connection) -> dict[str, Any]:
        owner = await organisation.resolve(tx, of)
        of_service = kind in (Kind.checks, Kind.ping)
        project = await organisation.service_of(tx, owner, service) if of_service else None
        of_page = await _page_of(tx, owner, page) if kind is Kind.status else None
        token = accounts_key.new_token_of(kind)
        made = await accounts_key.issue(
            accounts_key.of_all(tx), owner, kind, scope, token, name or kind.value, project, of_page
        )
        shown = {"id": made.id, "name": made.name, "kind": kind, "scope": scope, "service_id": project}
        return {**shown, **({"page_id": of_page} if of_page else {}), "key": token}

    _run(work)


async def _page_of(tx: Connection, owner: UUID, subdomain: str) -> UUID:
    """The id of a page that is named by its subdomain, which statuspage-cmd knows; held until the key is added.

    Raises:
        NotFound: the organisation has no such page.
    """
    async with Database(running_settings().database("statuspage_cmd"), size=1) as db, db.connection() as pages:
        found: UUID | None = await pages.fetchval(
            "SELECT id FROM statuspage WHERE organisation = $1 AND subdomain = $2", owner, subdomain
        )
    if found is None:
        raise NotFound(f"The organisation has no status page with the subdomain {subdomain!r}; give it by --page")
    await accounts_key.hold_page(tx, owner, found)
    return found


@keys.command("list")
def list_keys(
    of: Annotated[str, typer.Argument(metavar="[ORGANISATION]", help="Its id or unique name; default: all.")] = "",
) -> None:
    """List keys without the secrets, which are not stored."""

    async def work(tx: Connection) -> list[dict[str, Any]]:
        return await accounts_key.list_keys(tx, await organisation.resolve(tx, of) if of else None)

    _run(work)


@keys.command("revoke")
def revoke(key: UUID) -> None:
    """Revoke a key by its id, permanently."""

    async def work(tx: Connection) -> dict[str, Any]:
        store = accounts_key.of_all(tx)
        await store.revoke(await store.edit(key))
        return {"revoked": key}

    _run(work)
