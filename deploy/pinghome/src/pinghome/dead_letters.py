"""The commands that look after dead letters: what the services of the running platform could not apply."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
import uvloop

from pinghome.keys import running_settings
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import describe
from pinghome_common.errors import DomainError, NotFound

dead_letters = typer.Typer(no_args_is_help=True, help="What a service could not apply: look at it, replay or drop it.")

SERVICES = ("resource-cmd", "resource-query", "statistic-query")

REPLAYED_WITHIN = 30.0
"""Seconds that a replay may take; services look every five seconds."""

_DROP = "DELETE FROM dead_letter WHERE $1::bigint[] IS NULL OR id = ANY($1) RETURNING id"
_MARK = "UPDATE dead_letter SET replay = true WHERE $1::bigint[] IS NULL OR id = ANY($1) RETURNING id"
_LEFT = "SELECT id, error, replay FROM dead_letter WHERE $1::bigint[] IS NULL OR id = ANY($1)"

Letters = Annotated[list[str], typer.Argument(metavar="ID…", help="such as resource-cmd:12; `all` for every one.")]


def _run(work: Callable[[], Awaitable[Any]]) -> None:
    try:
        typer.echo(json.dumps(uvloop.run(work()), indent=2, default=str))  # type: ignore[arg-type]
    except DomainError as error:
        typer.secho(error.message, err=True, fg="red")
        raise typer.Exit(1) from None


async def _each(work: Callable[[str, Connection], Awaitable[list[Any]]]) -> list[Any]:
    """What some work finds in the database of each service."""
    settings, found = running_settings(), []
    for service in SERVICES:
        async with Database(settings.database(service.replace("-", "_")), size=1) as db, db.transaction() as tx:
            found += await work(service, tx)
    return found


def _numbers(service: str, letters: list[str]) -> list[int] | None:
    """Those of some ids that are a service's; None for all of them."""
    if letters == ["all"]:
        return None
    try:
        return [int(number) for of, _, number in (letter.partition(":") for letter in letters) if of == service]
    except ValueError:
        raise DomainError("An id looks like resource-cmd:12; `pinghome dead-letters list` shows them.") from None


@dead_letters.command("list")
def list_letters() -> None:
    """List dead letters, the oldest of each service first, without their bodies."""

    async def work(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(
            "SELECT id, worker, key, subject, error, attempts, at, length(body) AS bytes, replay"
            " FROM dead_letter ORDER BY id"
        )
        return [{**dict(row), "id": f"{service}:{row['id']}"} for row in rows]

    _run(lambda: _each(work))


@dead_letters.command("show")
def show(letter: Annotated[str, typer.Argument(metavar="ID", help="such as resource-cmd:12")]) -> None:
    """Show one dead letter with what it holds."""

    async def work(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch("SELECT * FROM dead_letter WHERE id = ANY($1::bigint[])", _numbers(service, [letter]))
        return [{**describe(row), "id": f"{service}:{row['id']}"} for row in rows]

    async def one() -> Any:
        found = await _each(work)
        if not found:
            raise NotFound(f"There is no dead letter {letter}")
        return found[0]

    _run(one)


@dead_letters.command("drop")
def drop(letters: Letters) -> None:
    """Delete dead letters for good."""

    async def work(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_DROP, _numbers(service, letters))
        return [f"{service}:{row['id']}" for row in rows]

    async def all_of() -> Any:
        return {"dropped": await _each(work)}

    _run(all_of)


@dead_letters.command("replay")
def replay(letters: Letters) -> None:
    """Have dead letters tried again; those that fail again stay, with their newest reason."""

    async def mark(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_MARK, _numbers(service, letters))
        return [f"{service}:{row['id']}" for row in rows]

    async def left(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_LEFT, _numbers(service, letters))
        return [(f"{service}:{row['id']}", row["error"], row["replay"]) for row in rows]

    async def replayed() -> Any:
        marked = await _each(mark)
        deadline = asyncio.get_running_loop().time() + REPLAYED_WITHIN
        rest = await _each(left)
        while any(waits for _, _, waits in rest):
            if asyncio.get_running_loop().time() > deadline:
                raise DomainError("Not all are tried yet: is every service running? They stay marked.")
            await asyncio.sleep(0.2)
            rest = await _each(left)
        failed = {id_: error for id_, error, _ in rest if id_ in marked}
        return {"applied": [id_ for id_ in marked if id_ not in failed], "failed": failed}

    _run(replayed)
