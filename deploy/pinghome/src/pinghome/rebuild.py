"""The command `pinghome rebuild`."""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from pinghome import keys
from pinghome_common.rebuild import Outcome, ReadModel, Rebuild
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from resource_query import rebuild as resource_query
from statistic_query import rebuild as statistic_query
from statuspage_query import rebuild as statuspage_query

console = Console(highlight=False)
rebuild = typer.Typer()


class Service(StrEnum):
    """The services that have a read model."""

    RESOURCE_QUERY = "resource-query"
    STATISTIC_QUERY = "statistic-query"
    STATUSPAGE_QUERY = "statuspage-query"


@rebuild.command("rebuild")
def rebuild_command(service: Annotated[Service, typer.Argument(metavar="SERVICE", show_choices=True)]) -> None:
    """Make a service's read model again from the event log while it serves, and change only what differs."""
    started = time.monotonic()
    settings = keys.running_settings()
    with console.status("reading the event log") as status:
        events = 0

        def report(more: int) -> None:
            nonlocal events
            events += more
            status.update(f"{events:,} events applied")

        outcome = uvloop.run(Rebuild(_model(service, settings), settings, report).run())
    _tell(service, outcome, time.monotonic() - started)


def _model(service: Service, settings: Settings) -> ReadModel:
    broker = Broker(settings.nats_url, "rebuild")  # never connected: events overtake nothing here
    models: dict[Service, Callable[[], ReadModel]] = {
        Service.RESOURCE_QUERY: lambda: resource_query.read_model(broker, settings),
        Service.STATISTIC_QUERY: lambda: statistic_query.read_model(broker, settings),
        Service.STATUSPAGE_QUERY: lambda: statuspage_query.read_model(settings),
    }
    return models[service]()


def _tell(service: Service, outcome: Outcome, seconds: float) -> None:
    console.print(f"{service}: {outcome.events:,} events in {seconds:.1f} s")
    console.print(f"  hash before {outcome.before}, after {outcome.after}")
    if outcome.failed:
        console.print(
            f"  {outcome.failed:,} events cannot be applied: see `pinghome dead-letters list`", style="yellow"
        )
    if outcome.before == outcome.after:
        console.print("  [green]equal[/green]: nothing was changed")
        return
    for name in outcome.changed:
        counts = {"added": outcome.missing, "deleted": outcome.extra, "changed": outcome.changed}
        if words := [f"{count:,} rows {what}" for what, rows in counts.items() if (count := rows.get(name))]:
            console.print(f"  {name}: {', '.join(words)}")
    console.print("  [green]mended[/green]")
