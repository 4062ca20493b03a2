"""The commands `pinghome backup` and `pinghome restore`."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pinghome import keys
from pinghome.backup import archive
from pinghome.backup.make import Report, make
from pinghome.backup.restore import check, restore
from pinghome.servers import Servers
from pinghome.state_file import StateFile
from pinghome_common.errors import DomainError
from pinghome_common.settings import Settings

console = Console(stderr=True)
backups = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE", help="Such as pinghome.tar.gz; readable only by its owner.")]


@backups.command("backup")
def backup_command(file: File) -> None:
    """Write one consistent copy of the running platform into FILE; it goes on serving."""

    async def work(report: Report) -> None:
        settings = keys.running_settings()
        settings = settings.but(secret_key=_secret_key(settings))
        if not settings.secret_key:
            raise DomainError("Set PINGHOME_SECRET_KEY: a backup says with which key it was made, and never holds it.")
        if not settings.nats_url:
            raise DomainError("Set PINGHOME_NATS_URL to the URL of the broker's user admin.")
        await make(file, settings, report)

    started = time.monotonic()
    _run(work)
    size = decimal(file.stat().st_size)
    console.print(f"[green]Backed up[/green] into {file}: {size}, {time.monotonic() - started:.1f} s", highlight=False)
    console.print("It does not hold the secret key. Keep that, or keys.json, in another safe place.")


@backups.command("restore")
def restore_command(file: File) -> None:
    """Make an empty platform what FILE says; then start it. Needs the secret key of the platform that was backed up."""

    async def work(report: Report) -> None:
        settings = Settings()
        settings = settings.but(data=settings.data.absolute(), secret_key=_secret_key(settings))
        report("checking", 0)
        about = await asyncio.to_thread(archive.verified, file)
        check(about, file, settings.secret_key)
        if settings.database_url and settings.nats_url:
            await restore(file, settings, report)
            return
        async with Servers(settings, lambda step: report(step, 0)) as servers:
            urls = {"database_url": servers.database_url, "nats_url": servers.nats_url("admin")}
            await restore(file, settings.but(**urls), report)

    started = time.monotonic()
    _run(work)
    console.print(f"[green]Restored[/green] {file}: {time.monotonic() - started:.1f} s. Now start the platform.")


def _secret_key(settings: Settings) -> str:
    return settings.secret_key or str(StateFile(settings.data / "keys.json").get("secret_key") or "")


def _run(work: Callable[[Report], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` with its progress on the terminal."""
    with _progress() as report:
        uvloop.run(work(report))


@contextmanager
def _progress() -> Iterator[Report]:
    """Shows what is worked on, and how much of it is done: a line for each."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[size]}"), TimeElapsedColumn()
    tasks: dict[str, Any] = {}
    done: dict[str, int] = {}
    with Progress(*columns, console=console) as progress:

        def report(what: str, size: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    progress.update(task, total=1, completed=1)
                tasks[what] = progress.add_task(what, total=None, size="")
            done[what] = done.get(what, 0) + size
            progress.update(tasks[what], size=decimal(done[what]) if done[what] else "")

        yield report
        for task in tasks.values():
            progress.update(task, total=1, completed=1)
