"""The commands for regions elsewhere: what a prober there needs, and that the platform knows of it."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from pinghome import broker_certificate, keys, platform_keys, region_users
from pinghome_common.db import Connection
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
        str, typer.Option(envvar="PINGHOME_BROKER", help="host:port at which probers reach the broker.")
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
    _reload(folder)
    address = broker or urlsplit(settings.nats_url).netloc.rpartition("@")[2]
    typer.echo(f"PINGHOME_REGION={region}")
    typer.echo(f"PINGHOME_REGION_KEY={region_key(complete.secret_key, region).hex()}")
    authority = broker_certificate.authority_of(folder)
    typer.echo(f"PINGHOME_NATS_URL={'tls' if authority else 'nats'}://prober-{region}:{password}@{address}")
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
    _reload(folder)
    typer.echo(f"{region} is removed; {monitors} monitors name it")


def _folder(settings: Settings, nats_conf: Path | None) -> Path:
    return nats_conf.absolute().parent if nats_conf else settings.data.absolute()


def _reload(folder: Path) -> None:
    region_users.include(folder)
    if not region_users.reload(folder):
        typer.secho(
            "now have the broker read its configuration again: send SIGHUP to nats-server", err=True, fg="yellow"
        )
