"""The command `pinghome up`."""

import asyncio
import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer
import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.status import Status

from pinghome import console_part, platform_keys, services
from pinghome.console import make_link
from pinghome.edge import Edge
from pinghome.servers import Servers
from pinghome.supervise import Supervisor
from pinghome_common import logs
from pinghome_common.limits import PINGS_OF_ALL
from pinghome_common.serve import serve
from pinghome_common.settings import Settings

console = Console()
up = typer.Typer()


@up.command("up")
def up_command(
    *,
    processes: Annotated[bool, typer.Option("--processes", help="Run each service in its own process.")] = False,
) -> None:
    """Run the whole platform, with its own PostgreSQL and NATS, until Ctrl-C or SIGTERM."""
    try:
        settings = Settings()
        settings = settings.but(data=settings.data.absolute())
        logs.configure(settings.log_level)
        uvloop.run(_up(settings, processes=processes))
    except asyncio.CancelledError:  # a signal during startup
        pass
    except (RuntimeError, OSError, ValidationError, SettingsError) as error:  # ChildError and TimeoutError too
        console.print(f"Pinghome cannot start: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    console.print("stopped")


async def _up(settings: Settings, *, processes: bool) -> None:
    main = asyncio.current_task()
    assert main  # noqa: S101  # a coroutine runs in a task
    _on_signal(main.cancel)
    with console.status("starting") as status:
        reporter = StartupReporter(status)
        async with Servers(settings, reporter.step) as servers:
            settings, reporter.new_keys = platform_keys.complete(settings)
            reporter.step("preparing the databases")
            await services.migrate_all(settings.but(database_url=servers.database_url))
            reporter.step("starting the services")
            try:
                await (_run_processes if processes else _run_here)(settings, servers, reporter)
            finally:
                _on_signal(lambda: None)  # we are stopping already; a second Ctrl-C must not cut that short
                reporter.step("stopping")


async def _run_here(settings: Settings, servers: Servers, reporter: "StartupReporter") -> None:
    """Serve all services on the one port until a signal comes."""
    gc.disable()  # what is imported stays, as where commands are imported
    apps = services.in_this_process(settings, servers)
    edge = Edge(apps, public_metrics=settings.public_metrics)
    gc.enable()
    path = console_part.connect(apps, settings.data)

    async def report_ready() -> None:
        while not await services.answers(settings.host, settings.port):  # as clients do
            reporter.step(f"waiting for {', '.join(await edge.problems()) or 'the port'}")
            await asyncio.sleep(0.05)
        url = settings.public_url or f"http://{settings.host}:{settings.port}"
        reporter.ready({name: f"{url}/{name}" for name in edge.public})
        if settings.console:
            link = make_link(settings.but(database_url=servers.database_url)) if console.is_terminal else None
            reporter.console(await link if link else f"{url}/console/")

    reporting = asyncio.create_task(report_ready())
    try:
        await serve(edge, settings, PINGS_OF_ALL, path)
    finally:
        reporting.cancel()


async def _run_processes(settings: Settings, servers: Servers, reporter: "StartupReporter") -> None:
    """Run each service in its own process, on its own port, until a signal comes."""
    stop = asyncio.Event()
    async with Supervisor() as supervisor:
        urls = await services.as_processes(settings, servers, supervisor)
        _on_signal(stop.set)
        reporter.ready({name: url for name, url in urls.items() if name != "console"})
        reporter.console(f"{urls['console']}/")
        await stop.wait()


def _on_signal(callback: Callable[[], object]) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, callback)


@dataclass
class StartupReporter:
    """Reports the start of the platform on the terminal."""

    status: Status
    new_keys: dict[str, str] | None = None
    last: str = ""

    def step(self, text: str) -> None:
        """Report a step: on a terminal in the status line, else in a line of its own."""
        if console.is_terminal:
            self.status.update(text)
        elif text != self.last:
            console.print(text)
        self.last = text

    def console(self, link: str) -> None:
        """Report where the console is; on a terminal by a link to sign in, which works once."""
        console.print(f"Console: {link}", highlight=False, soft_wrap=True)

    def ready(self, urls: dict[str, str]) -> None:
        """Report the URLs of the services, and the new keys, which are not shown again."""
        self.status.stop()
        console.print("[green]Pinghome is ready[/green]")
        width = max(map(len, urls)) + 2
        for name, url in urls.items():
            console.print(f"  {name:{width}}{url}/docs", highlight=False, soft_wrap=True)
        if self.new_keys:
            console.print("New keys, stored in keys.json in the data folder together with the secret key:")
            for line in platform_keys.printed(self.new_keys):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
