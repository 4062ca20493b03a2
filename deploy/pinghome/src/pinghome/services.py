"""The services of the platform, in this process behind the edge or each in its own process."""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from fastapi import FastAPI

from pinghome import console_part, platform_keys
from pinghome.servers import DATABASES, Servers
from pinghome.stale_processes import wait_until_gone
from pinghome.state_file import StateFile
from pinghome.supervise import Child, Supervisor
from pinghome_common import migrate
from pinghome_common.secret import derive, region_key
from pinghome_common.settings import Settings
from pinghome_common.wrong_tokens import WrongTokens

SERVICES = {
    "resource-cmd": "resource_cmd.app:create_app",
    "resource-query": "resource_query.app:create_app",
    "statistic-query": "statistic_query.app:create_app",
    "statuspage-cmd": "statuspage_cmd.app:create_app",
    "statuspage-query": "statuspage_query.app:create_app",
    "data-gateway": "data_gateway.app:create_app",
    "prober": "prober.app:create_app",
}
"""`create_app(settings) -> FastAPI` of each service, in starting order; the prober runs once per region."""


class Addresses(Protocol):
    """Where services find PostgreSQL and NATS."""

    database_url: str

    def nats_url(self, user: str) -> str:
        """The URL of a NATS user."""


def settings_of_all(settings: Settings, servers: Addresses) -> dict[str, tuple[str, Settings]]:
    """The factory and the settings of each service, by its name, which is also that of its NATS user."""
    found: dict[str, tuple[str, Settings]] = {}
    for service, factory in SERVICES.items():
        for region in settings.regions if service == "prober" else [""]:
            name = f"{service}-{region}" if region else service
            own = {"database_url": servers.database_url, "nats_url": servers.nats_url(name), "region": region}
            if service in ("data-gateway", "prober"):
                own["database_url"] = ""
            if region:
                own["region_key"] = region_key(settings.secret_key, region).hex()
            found[name] = factory, settings.but(**own | _secrets(settings, service))
    if settings.console:
        found[console_part.NAME] = console_part.FACTORY, console_part.settings_of(settings)
    return found


def _secrets(settings: Settings, service: str) -> dict[str, str]:
    """What of the platform's secrets a service gets to know: all that are not its own are empty."""
    own = {"badge_secret": "", "page_secret": "", "subscription_secret": "", "console_secret": ""}
    if service != "resource-cmd":  # only resource-cmd encrypts and creates the first organisation
        own |= dict.fromkeys([*platform_keys.KEYS, "statuspage_io_token", "ops_heartbeat_url"], "")
    if service not in ("resource-cmd", "statuspage-cmd"):  # these notify
        own["smtp_url"] = ""
    if service == "statuspage-cmd":
        own["subscription_secret"] = settings.subscription_secret or derive(settings.secret_key, "subscription").hex()
    if service == "resource-query":  # it serves badges
        own["badge_secret"] = settings.badge_secret or derive(settings.secret_key, "badge").hex()
    if service in ("statuspage-cmd", "statuspage-query"):  # one lets in, the other looks
        own["page_secret"] = settings.page_secret or derive(settings.secret_key, "page").hex()
    return own


async def migrate_all(settings: Settings) -> None:
    """Migrate the databases of all services at once; otherwise each service would do so at its start."""
    await migrate.upgrade(*((settings.database(name), migrations(name)) for name in DATABASES))


def migrations(database: str) -> Path:
    """The folder with the migrations of one of `DATABASES`."""
    return Path(str(import_module(database).__file__)).parent / "migrations"


def in_this_process(settings: Settings, servers: Servers) -> dict[str, FastAPI]:
    """The applications of all services, for the edge."""
    apps = {name: _load(factory)(own) for name, (factory, own) in settings_of_all(settings, servers).items()}
    shared = WrongTokens(settings.wrong_tokens_per_minute)
    for app in apps.values():
        app.state.wrong_tokens = shared
    return apps


async def as_processes(settings: Settings, servers: Servers, supervisor: Supervisor) -> dict[str, str]:
    """Start each service in its own process, as in production; returns their URLs when all are ready.

    Raises:
        ChildError: one is not ready after a minute; the message ends with the tail of its log.
    """
    state = StateFile(settings.data / "ports.json")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
    urls: dict[str, str] = {}
    for name, (factory, own) in settings_of_all(settings, servers).items():
        folder = settings.data / name
        folder.mkdir(exist_ok=True)
        await wait_until_gone(folder)
        port = state.port(name)
        if name == console_part.NAME:
            own = own.but(console_api=",".join(f"{each}={url}" for each, url in urls.items()))  # noqa: PLW2901
        urls[name] = f"http://127.0.0.1:{port}"
        module, function = factory.split(":")
        long_ = {"data-gateway": "PINGS", "statuspage-cmd": "PICTURES", console_part.NAME: "PICTURES"}.get(name)
        pings = f", limits.{long_}" if long_ else ""
        code = (  # what is imported stays: to look through it for garbage takes a sixth of the start
            "import gc; gc.disable(); from pinghome_common import limits; from pinghome_common.serve import run;"
            f" from {module} import {function}; gc.enable(); run({function}{pings})"
        )
        supervisor.launch(
            Child(
                name,
                [sys.executable, "-c", code],
                settings.data / "log" / f"{name}.log",
                folder,
                partial(answers, "127.0.0.1", port),
                env=outside | environment(own.but(host="127.0.0.1", port=port)),
            )
        )
    for name in urls:
        await supervisor.ready(name, within=60)
    return urls


async def answers(host: str, port: int) -> bool:
    """True if GET /readyz answers 200."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(b"GET /readyz HTTP/1.0\r\nHost: pinghome\r\n\r\n")
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status


def environment(settings: Settings) -> dict[str, str]:
    """The environment variables of the settings."""
    values = settings.model_dump(mode="json")
    return {f"PINGHOME_{name.upper()}": _variable(value) for name, value in values.items()}


def _variable(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _load(factory: str) -> Callable[[Settings], FastAPI]:
    module, function = factory.split(":")
    return cast("Callable[[Settings], FastAPI]", getattr(import_module(module), function))
