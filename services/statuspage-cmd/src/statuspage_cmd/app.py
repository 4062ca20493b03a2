"""statuspage-cmd: commands on status pages."""

from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, event_log, migrate
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.events import followed
from pinghome_common.projection import Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statuspage_cmd.api.pinghome import incident, maintenance, statuspage, template
from statuspage_cmd.incidents.followed import follow
from statuspage_cmd.incidents.watch import Watch
from statuspage_cmd.maintenance.clock import Clock
from statuspage_cmd.streams import PREFIX, STREAM, keep_streams

NAME = "statuspage-cmd"

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("statuspage_cmd")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url))
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME))
    state.directory = Directory(broker, settings.data / NAME / "known")
    state.progress = ProjectionProgress(broker, "statuspage-query")
    await state.progress.listen()
    state.relay = event_log.Relay(state.db, broker, STREAM, PREFIX)
    watch = Watch(state.db, broker, state.relay.wake)
    sources = [Source("EVENTS", [f"events.{noun}.>" for noun in followed.NOUNS], follow)]
    parts.workers |= {
        "streams": lambda: keep_streams(broker, settings, state.relay),
        "directory": state.directory.run,
        "relay": state.relay.run,
        "followed": Projection(NAME, state.db, broker, sources, after=watch.wake).run,
        "watch": watch.run,
        "clock": Clock(state.db, state.relay.wake).run,
    }
    parts.checks |= {"relay": state.relay.problem, **app.readiness_checks(broker, state.directory, state.db)}


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; without settings they come from the environment."""
    nouns = (statuspage, incident, maintenance, template)
    return app.build(
        NAME, settings or Settings(), _start, [noun.routes for noun in nouns],
        "Commands on status pages, their components, incidents and maintenance.",
    )  # fmt: skip


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
