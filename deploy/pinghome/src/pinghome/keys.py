"""The commands that make organisations and keys, in the database of the running platform."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
import uvloop

from pinghome import platform_keys
from pinghome_common import secret
from pinghome_common.db import Connection, Database
from pinghome_common.errors import DomainError
from pinghome_common.events.key import Kind, Scope
from pinghome_common.settings import Settings
from resource_cmd.accounts import organisation

organisations = typer.Typer(no_args_is_help=True, help="Organisations: each sees its own monitors only.")
keys = typer.Typer(no_args_is_help=True, help="Keys of organisations; a change reaches every service within 5 s.")


def _run(work: Callable[[Connection], Awaitable[Any]]) -> None:
    """Runs `work` in one transaction, waits until its events have left, and prints its answer as JSON."""
    try:
        typer.echo(json.dumps(uvloop.run(_with_database(work)), indent=2, default=str))
    except DomainError as error:
        typer.secho(error.message, err=True, fg="red")
        raise typer.Exit(1) from None


async def _with_database(work: Callable[[Connection], Awaitable[Any]]) -> Any:
    async with Database(running_settings().database("resource_cmd"), size=1) as db:
        async with db.transaction() as tx:
            answer = await work(tx)
        for _ in range(50):
            async with db.connection() as connection:
                if not await connection.fetchval("SELECT EXISTS (SELECT FROM events WHERE published_seq IS NULL)"):
                    return answer
            await asyncio.sleep(0.1)
        typer.secho("written; the services will know when the message broker is back", err=True, fg="yellow")
        return answer


def running_settings() -> Settings:
    """The settings, with the database of the platform that runs on this data folder.

    Raises:
        DomainError: none runs.
    """
    settings = Settings()
    if settings.database_url:
        return settings
    try:
        running = json.loads((settings.data / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DomainError(f"No Pinghome runs on {settings.data.absolute()}: start it with `pinghome up`.") from None
    return settings.but(database_url=running["database_url"])


@organisations.command("create")
def create(name: str) -> None:
    """Make an organisation with a first service, and print its keys as JSON: this once."""

    async def work(tx: Connection) -> dict[str, Any]:
        tokens = organisation.Tokens.generated()
        id_, service = await organisation.create(tx, name, tokens)
        return {"id": id_, "name": name, "service_id": service, **_named(tokens)}

    _run(work)


def _named(tokens: organisation.Tokens) -> dict[str, str]:
    """The tokens under the names that `keys create --kind` uses."""
    found = asdict(tokens)
    return {"token": found["bearer"], **{f"{kind}_key": found[kind] for kind in ("checks", "checks_read", "ping")}}


@keys.command("create")
def create_key(
    of: Annotated[str, typer.Argument(metavar="ORGANISATION", help="Its id, or its name where that is unique.")],
    *,
    kind: Annotated[Kind, typer.Option(help="bearer: PingHome's API; checks, ping: Healthchecks'.")] = Kind.bearer,
    scope: Annotated[Scope, typer.Option(help="What it may do.")] = Scope.write,
    name: Annotated[str, typer.Option(help="What you call it.")] = "",
    service: Annotated[str, typer.Option(help="The service of a checks or ping key, by id.")] = "",
) -> None:
    """Make a key and print it as JSON: this once."""

    async def work(tx: Connection) -> dict[str, Any]:
        owner = await organisation.resolve(tx, of)
        project = None if kind is Kind.bearer else await organisation.service_of(tx, owner, service)
        token = secret.new_token() if kind is Kind.bearer else secret.new_key(32 if kind is Kind.checks else 22)
        key = await organisation.add_key(tx, owner, kind, scope, token, name or kind.value, project)
        return {"id": key.id, "name": key.name, "kind": kind, "scope": scope, "service_id": project, "key": token}

    _run(work)


@keys.command("list")
def list_keys(
    of: Annotated[str, typer.Argument(metavar="[ORGANISATION]", help="Its id or unique name; else all.")] = "",
) -> None:
    """List keys, without their secrets, which nobody has any more."""

    async def work(tx: Connection) -> list[dict[str, Any]]:
        return await organisation.list_keys(tx, await organisation.resolve(tx, of) if of else None)

    _run(work)


@keys.command("revoke")
def revoke(key: UUID) -> None:
    """Revoke a key by its id, for ever."""

    async def work(tx: Connection) -> dict[str, Any]:
        await organisation.revoke(tx, key)
        return {"revoked": key}

    _run(work)


def region_key(region: str) -> None:
    """Print the key that a prober of a region elsewhere needs as PINGHOME_REGION_KEY."""
    settings, _ = platform_keys.complete(Settings())
    typer.echo(secret.derive(settings.secret_key, f"region:{region}").hex())
