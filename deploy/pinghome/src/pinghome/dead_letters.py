"""The commands for dead letters: items that the services of the running platform could not apply."""

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

dead_letters = typer.Typer(
    name="dead-letters", no_args_is_help=True, help="List, show, replay or drop items that could not be applied."
)

SERVICES = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query")

REPLAY_TIMEOUT = 30.0
"""Seconds; services look for marked dead letters every five seconds."""

_DROP = "DELETE FROM dead_letter WHERE $1::bigint[] IS NULL OR id = ANY($1) RETURNING id"
_MARK = "UPDATE dead_letter SET replay = true WHERE $1::bigint[] IS NULL OR id = ANY($1) RETURNING id"
_LEFT = "SELECT id, error, replay FROM dead_letter WHERE $1::bigint[] IS NULL OR id = ANY($1)"

Letters = Annotated[list[str], typer.Argument(metavar="ID…", help="Such as resource-cmd:12, or `all`.")]


def _run(work: Callable[[], Awaitable[Any]]) -> None:
    typer.echo(json.dumps(uvloop.run(work()), indent=2, default=str))  # type: ignore[arg-type]


async def _each(work: Callable[[str, Connection], Awaitable[list[Any]]]) -> list[Any]:
    """The results of `work` in the database of each service."""
    settings, found = running_settings(), []
    for service in SERVICES:
        async with Database(settings.database(service.replace("-", "_")), size=1) as db, db.transaction() as tx:
            found += await work(service, tx)
    return found


def _numbers(service: str, letters: list[str]) -> list[int] | None:
    """The numbers of those ids that belong to a service; None means all."""
    if letters == ["all"]:
        return None
    try:
        return [int(number) for owner, _, number in (letter.partition(":") for letter in letters) if owner == service]
    except ValueError:
        raise DomainError("An id looks like resource-cmd:12; see `pinghome dead-letters list`.") from None


@dead_letters.command("list")
def list_letters() -> None:
    """List dead letters without their bodies, the oldest of each service first."""

    async def work(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(
            "SELECT id, worker, key, subject, error, attempts, at, length(body) AS bytes, replay"
            " FROM dead_letter ORDER BY id"
        )
        return [{**dict(row), "id": f"{service}:{row['id']}"} for row in rows]

    _run(lambda: _each(work))


@dead_letters.command("show")
def show(letter: Annotated[str, typer.Argument(metavar="ID", help="Such as resource-cmd:12.")]) -> None:
    """Show one dead letter with its body."""

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
    """Delete dead letters permanently."""

    async def work(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_DROP, _numbers(service, letters))
        return [f"{service}:{row['id']}" for row in rows]

    async def all_of() -> Any:
        return {"dropped": await _each(work)}

    _run(all_of)


@dead_letters.command("replay")
def replay(letters: Letters) -> None:
    """Retry dead letters; those that fail again stay, with the newest reason."""

    async def mark(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_MARK, _numbers(service, letters))
        return [f"{service}:{row['id']}" for row in rows]

    async def left(service: str, tx: Connection) -> list[Any]:
        rows = await tx.fetch(_LEFT, _numbers(service, letters))
        return [(f"{service}:{row['id']}", row["error"], row["replay"]) for row in rows]

    async def replayed() -> Any:
        marked = await _each(mark)
        deadline = asyncio.get_running_loop().time() + REPLAY_TIMEOUT
        rest = await _each(left)
        while any(marked_still for _, _, marked_still in rest):
            if asyncio.get_running_loop().time() > deadline:
                raise DomainError("Some have not been retried yet; they stay marked. Is every service running?")
            await asyncio.sleep(0.2)
            rest = await _each(left)
        failed = {id_: error for id_, error, _ in rest if id_ in marked}
        return {"applied": [id_ for id_ in marked if id_ not in failed], "failed": failed}

    _run(replayed)
