"""The command for links to sign in to the console by."""

from typing import Annotated

import typer

from pinghome import keys
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.settings import Settings
from resource_cmd.accounts import organisation, session

console = typer.Typer(name="console", no_args_is_help=True, help="The console in the browser.")


@console.callback()
def _with_commands() -> None:  # else a Typer with one command is that command
    pass


@console.command("link")
def link(
    of: Annotated[
        str, typer.Argument(metavar="[ORGANISATION]", help="Its id or unique name; default: the first.")
    ] = "",
) -> None:
    """Print a link to sign in by, which works once within ten minutes."""

    async def work(tx: Connection) -> str:
        return await _link(tx, keys.running_settings(), of)

    typer.echo(keys.run(work))


async def make_link(settings: Settings) -> str:
    """A link for the first organisation of a platform whose database the settings name."""
    async with Database(settings.database("resource_cmd"), size=1) as db, db.transaction() as tx:
        return await _link(tx, settings)


async def _link(tx: Connection, settings: Settings, of: str = "") -> str:
    owner = await (organisation.resolve(tx, of) if of else organisation.first(tx))
    if owner is None:
        raise NotFound("There is no organisation yet; make one by `pinghome organisation create NAME`.")
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # where nothing is bound
    base = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    return f"{base}/console/sign-in?code={await session.make_code(tx, owner)}"
