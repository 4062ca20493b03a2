"""The command `pinghome doctor`."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import uvloop
from rich.console import Console

from pinghome import keys
from pinghome.doctor import broker, databases, machine
from pinghome.doctor.finding import Finding, Level, ok, problem
from pinghome_common.errors import DomainError
from pinghome_common.logs import error_text
from pinghome_common.process_folder import held
from pinghome_common.settings import Settings

console = Console(highlight=False)
doctor = typer.Typer()

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}
SECONDS = 10.0
"""In which a service must say whether it is ready."""

Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service",
        metavar="URL",
        envvar="PINGHOME_SERVICES",
        help="Of a standalone service, such as http://resource-cmd:8000.",
    ),
]


@doctor.command("doctor")
def doctor_command(
    *,
    service: Services = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the findings.")] = False,
) -> None:
    """Look at every part; say what is wrong and what to do. Exit code: 0 all well, 1 warnings, 2 problems."""
    found = uvloop.run(_look(service or [], quiet=as_json))
    if as_json:
        typer.echo(json.dumps([asdict(it) for it in found], indent=1))
    worst = max((list(Level).index(it.level) for it in found), default=0)
    if not as_json:
        count = {level: sum(it.level is level for it in found) for level in Level}
        console.print(f"{count[Level.OK]} ok, {count[Level.WARNING]} warnings, {count[Level.PROBLEM]} problems")
    raise typer.Exit(worst)


async def _look(services: list[str], *, quiet: bool) -> list[Finding]:
    found = []
    async for finding in _findings(services):
        found.append(finding)
        if not quiet:
            console.print(f"[{STYLES[finding.level]}]{finding.level:8}[/]", end="")
            console.print(f" {finding.part}: {finding.says}", markup=False, soft_wrap=True)
            if finding.do:
                console.print(f"         -> {finding.do}", markup=False, soft_wrap=True)
    return found


async def _findings(services: list[str]) -> AsyncIterator[Finding]:
    settings, running = Settings(), False
    try:
        settings, running = _running(), True
    except DomainError as error:
        yield problem("platform", error.message.partition(";")[0], "Start it with `pinghome up`.")
    looks = [machine.look(settings)]
    if running:
        looks += [_ready(settings, services), databases.look(settings)]
        looks += [broker.look(settings)] if settings.nats_url else []
    for look in looks:
        async for finding in look:
            yield finding


def _running() -> Settings:
    """The settings of the running platform.

    Raises:
        DomainError: it is not running.
    """
    settings = keys.running_settings()
    if "pid" in _run_file(settings):
        with held(settings.data) as free:  # by the process that runs it, if it does
            if free:
                raise DomainError(f"Pinghome is not running on {settings.data.absolute()}; it was killed.")
    return settings


async def _ready(settings: Settings, services: list[str]) -> AsyncIterator[Finding]:
    """What the services say of themselves and their workers."""
    for url in services or _own(settings):
        part = f"service {url}"
        try:
            problems = await asyncio.to_thread(_problems, url)
        except (OSError, HTTPException, ValueError, KeyError) as error:
            yield problem(part, f"does not answer: {error_text(error)}", "Look at its log; restart it.")
            continue
        for name, reason in problems.items():
            yield problem(part, f"is not ready: {name}: {reason}", "Look at its log, and at what else is said here.")
        if not problems:
            yield ok(part, "is ready, and so are its workers")


def _own(settings: Settings) -> list[str]:
    """The services of `pinghome up` on this data folder: behind one port, or with --processes each on its own."""
    run = _run_file(settings)
    if not run:
        return []
    ports = [run["port"]]
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", ports[0])) and (separate := settings.data / "ports.json").exists():
            ports = [*json.loads(separate.read_text("utf-8")).values()]
    return [f"http://127.0.0.1:{port}" for port in ports]


def _run_file(settings: Settings) -> dict[str, Any]:
    path = settings.data / "run.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _problems(url: str) -> dict[str, Any]:
    """What /readyz says, by the part of the platform or of the service."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("GET", f"{parts.path}/readyz")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        hidden = {} if found["ready"] else {"a part": "which one is shown with PINGHOME_PUBLIC_METRICS"}
        problems: dict[str, Any] = found.get("problems", hidden)
        return problems
    finally:
        connection.close()
