"""The commands for regions elsewhere: what a prober there needs, and that the platform knows of it."""

import re
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from pinghome import broker_certificate, keys, nats, platform_keys, region_users
from pinghome_common.db import Connection
from pinghome_common.errors import DomainError
from pinghome_common.secret import region_key
from pinghome_common.settings import Settings
from resource_cmd.scheduling import regions

probers = typer.Typer(name="prober", no_args_is_help=True, help="Regions whose probers run elsewhere.")

Region = Annotated[str, typer.Argument(metavar="REGION", help="Such as eu-central-1.")]
Config = Annotated[
    Path | None,
    typer.Option(
        envvar="PINGHOME_NATS_CONF", help="The broker's configuration; default: nats.conf in the data folder."
    ),
]


@probers.command("add")
def add(
    region: Region,
    *,
    nats_conf: Config = None,
    broker: Annotated[
        str,
        typer.Option(
            envvar="PINGHOME_BROKER", help="host:port at which probers reach the broker; a comma list of its nodes."
        ),
    ] = "",
) -> None:
    """Register a region; print the environment of its probers, secrets included. Run again, it prints the same."""
    settings = keys.running_settings()
    complete, _ = platform_keys.complete(settings)

    async def work(tx: Connection) -> None:
        await regions.add(tx, region)

    keys.run(work)
    folder = _folder(settings, nats_conf)
    password = region_users.add(folder, region)
    _reload(settings, folder)
    addresses = (broker or settings.nats_url).split(",")
    typer.echo(f"PINGHOME_REGION={region}")
    typer.echo(f"PINGHOME_REGION_KEY={region_key(complete.secret_key, region).hex()}")
    authority = broker_certificate.authority_of(folder)
    scheme = "tls" if authority else "nats"
    urls = (f"{scheme}://prober-{region}:{password}@{re.split('[@/]', each)[-1]}" for each in addresses)
    typer.echo(f"PINGHOME_NATS_URL={','.join(urls)}")
    if authority:
        typer.echo(f"PINGHOME_NATS_CA={broker_certificate.one_line(authority)}")


@probers.command("remove")
def remove(region: Region, *, nats_conf: Config = None) -> None:
    """Remove a region: its probers are refused at once; monitors that name no other one become unknown."""
    settings = keys.running_settings()

    async def work(tx: Connection) -> int:
        return await regions.remove(tx, region)

    monitors = keys.run(work)
    folder = _folder(settings, nats_conf)
    region_users.remove(folder, region)
    _reload(settings, folder)
    typer.echo(f"{region} is removed; {monitors} monitors name it")


def _folder(settings: Settings, nats_conf: Path | None) -> Path:
    return nats_conf.absolute().parent if nats_conf else settings.data.absolute()


def _reload(settings: Settings, folder: Path) -> None:
    region_users.include(folder)
    try:
        uvloop.run(nats.reload(settings))
    except DomainError as error:
        do = "now have the broker read its configuration again: send SIGHUP to each nats-server"
        typer.secho(f"{do} ({error.message})", err=True, fg="yellow")
