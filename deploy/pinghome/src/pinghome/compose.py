"""The one-time steps of deploy/compose.yaml: each container gets its own settings, secrets and database."""

import secrets
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
import uvloop

from pinghome import broker_certificate, console_part, nats, platform_keys, region_users, services
from pinghome.postgres import USER, create_database
from pinghome.servers import DATABASES
from pinghome.state_file import StateFile
from pinghome_common import migrate
from pinghome_common.db import acquire_leadership
from pinghome_common.files import write_private
from pinghome_common.settings import Settings
from resource_cmd.scheduling import regions

compose = typer.Typer(name="compose", no_args_is_help=True, help="The one-time steps of deploy/compose.yaml.")

Volumes = Annotated[Path, typer.Option(help="The folder with a volume for each container.")]
VOLUMES = Path("/volumes")
CONFIG = Path("/config")
"""Where a container finds its own volume."""

OF_THE_IMAGE = ("PINGHOME_HOST", "PINGHOME_PORT", "PINGHOME_DATA")
"""Settings of the image itself."""


@dataclass
class Containers:
    """Where the containers find PostgreSQL and NATS, and with which passwords; these are made when first asked for."""

    settings: Settings
    nats: Path
    """The folder with nats.conf and the users of regions."""
    postgres: str = "postgres"
    """The address of PostgreSQL; a comma list of several, of which one is the primary."""

    def __post_init__(self) -> None:
        self._state = StateFile(self.settings.data / "servers.json")
        self.passwords = nats.passwords(self._state)
        hosts = ",".join(f"{host}:5432" for host in self.postgres.split(","))
        own = f"postgresql://{USER}:{self.password('postgres')}@{hosts}/postgres"
        own += "?target_session_attrs=primary" if "," in hosts else ""
        self.database_url = self.settings.database_url or own

    @property
    def nodes(self) -> list[str]:
        """The nodes of the broker: one, or as many as each stream has copies."""
        return ["nats", *(f"nats-{number}" for number in range(2, self.settings.nats_replicas + 1))]

    def password(self, name: str) -> str:
        """The password of a role of PostgreSQL: `postgres`, which makes the others, or a database's."""
        key = f"{name}_password"
        if not self._state.get(key):
            self._state.put(**{key: secrets.token_hex(24)})
        return str(self._state.get(key))

    def store_limit(self, streams: Path) -> int:
        """Bytes that the streams may have; never less than before, because NATS could not reload its configuration."""
        limit = max(nats.store_limit(streams) // len(self.nodes), int(self._state.get("store_limit") or 0))
        self._state.put(store_limit=limit)
        return limit

    def own_database_url(self, name: str) -> str:
        """The URL of a service's database, for the role that owns it and can do nothing elsewhere."""
        parts = urlsplit(self.database_url)
        address = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{name}:{self.password(name)}@{address}", path=f"/{name}"))

    def nats_url(self, user: str) -> str:
        """The URL of a NATS user: those of all nodes, separated by commas."""
        region = user.removeprefix("prober-")
        if region != user:
            password: str | None = region_users.password(self.nats, region)
        else:
            password = self.passwords[f"NATS_PASSWORD_{user.replace('-', '_').upper()}"]
        return ",".join(f"tls://{user}:{password}@{node}:4222" for node in self.nodes)


@compose.command("configure")
def configure(
    domain: Annotated[str, typer.Argument(help="The platform's domain, such as example.com.")],
    *,
    volumes: Volumes = VOLUMES,
    postgres: Annotated[
        str, typer.Option(envvar="PINGHOME_POSTGRES_HOSTS", help="PostgreSQL's host; a comma list of several.")
    ] = "postgres",
) -> None:
    """Write each container's settings and secrets into its volume; print the keys that were made now, once."""
    given = _settings()
    region, *others = given.regions
    if others:
        sys.exit("PINGHOME_REGIONS names the one region of compose.yaml; add others by `pinghome prober add REGION`")
    if not regions.NAME.fullmatch(region):
        sys.exit(f"PINGHOME_REGIONS: {region} does not look like eu-central-1")
    complete, new = platform_keys.complete(given)
    settings = complete.but(url=complete.url or f"https://{domain}")
    containers = Containers(settings, volumes / "nats", postgres)
    _configure_nats(containers, volumes, region, [domain, f"nats.{domain}"])
    nats_ca = broker_certificate.authority_of(volumes / "nats")
    write_private(password := volumes / "postgres" / "password", containers.password("postgres"))
    password.chmod(0o644)  # PostgreSQL has an account of its own; its container alone has this volume
    for name, (_, own) in services.settings_of_all(settings, containers).items():
        service = name.removesuffix(f"-{region}")
        if name == console_part.NAME:
            own = own.but(console_api="http://{service}:8000")  # noqa: PLW2901
        url = containers.own_database_url(service.replace("-", "_")) if own.database_url else ""
        _write_settings(volumes / service, own.but(database_url=url, nats_ca=nats_ca))
    ours = {"database_url": containers.database_url, "nats_url": containers.nats_url("admin"), "nats_ca": nats_ca}
    _write_settings(volumes / "pinghome", settings.but(**ours))
    typer.echo(f"The containers of {domain} are configured.")
    if new:
        typer.echo("New keys, which are not shown again:")
        typer.echo("\n".join(platform_keys.printed(new)))


@compose.command("databases")
def databases(*, volumes: Volumes = VOLUMES) -> None:
    """Make each service's role and database, and migrate it; nothing happens when all of it is there."""
    uvloop.run(_make_databases(Containers(_settings(), volumes / "nats")))
    typer.echo("The databases are up to date.")


def _settings() -> Settings:
    try:
        return Settings()
    except (ValueError, OSError) as error:
        sys.exit(f"The settings are wrong: {error}")


def _configure_nats(containers: Containers, volumes: Path, region: str, hosts: list[str]) -> None:
    folder = volumes / "nats"
    broker_certificate.make(containers.settings.data, folder, [*containers.nodes, "localhost", *hosts])
    region_users.add(folder, region)
    passwords = "".join(f'{name}: "{value}"\n' for name, value in containers.passwords.items())
    certificate, key = folder / broker_certificate.CERTIFICATE, folder / broker_certificate.KEY
    tls = f'cert_file: "{certificate}", key_file: "{key}", timeout: 10'
    head = (
        f"NATS_MAX_FILE_STORE: {containers.store_limit(volumes / 'streams')}\n{passwords}"
        f"tls {{ {tls}, handshake_first: true }}\n"
        'http: "127.0.0.1:8222"\n'  # for the container's health check alone
    )
    if len(containers.nodes) == 1:
        head += "server_name: nats\n"
    else:
        routes = ",".join(f'"nats://node:{containers.password("node")}@{node}:6222"' for node in containers.nodes)
        head += (
            "server_name: $NATS_NAME\n"  # of the container: all have this file
            f"cluster {{ name: pinghome, port: 6222, routes: [{routes}], no_advertise: true\n"
            f'  authorization {{ user: node, password: "{containers.password("node")}", timeout: 10 }}\n'
            f'  tls {{ {tls}, ca_file: "{folder / broker_certificate.AUTHORITY}" }} }}\n'
        )
    region_users.include(folder, head + files("pinghome").joinpath("nats.conf").read_text("utf-8"))


def _write_settings(folder: Path, own: Settings) -> None:
    """Writes those settings of a service that are not the defaults: a file each, and `.env`, which names them."""
    default = services.environment(Settings.model_construct())
    given = {name: value for name, value in services.environment(own).items() if value not in ("", default[name])}
    given = {name: value for name, value in given.items() if name not in OF_THE_IMAGE}
    for old in folder.glob("PINGHOME_*"):
        if old.name not in given:
            old.unlink()
    for name, value in given.items():
        write_private(folder / name, value)
    write_private(folder / ".env", "".join(f"{name}_FILE={CONFIG / name}\n" for name in given))


async def _make_databases(containers: Containers) -> None:
    server = await migrate.patiently(containers.database_url)
    try:
        await acquire_leadership(server, "databases")
        for name in DATABASES:
            verb = "ALTER" if await server.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name) else "CREATE"
            # PostgreSQL takes no parameters here; both are letters, digits and _.
            await server.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{containers.password(name)}'")
            await create_database(containers.database_url, name, owner=name)
            await server.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    finally:
        await server.close()
    await migrate.upgrade(*((containers.own_database_url(name), services.migrations(name)) for name in DATABASES))
