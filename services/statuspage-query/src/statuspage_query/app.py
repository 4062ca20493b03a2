"""statuspage-query: status pages, their components, and how these are and were."""

from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, migrate
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.projection import Projection, Source
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statuspage_query import project
from statuspage_query.api.pinghome import incident, statuspage
from statuspage_query.domains import Domains
from statuspage_query.project import FOLLOWED, NAME, NOUNS

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("statuspage_query")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url))
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME))
    state.directory = Directory(broker, settings.data / NAME / "known")
    state.domains = Domains(settings.dns_resolver)
    sources = [
        Source("EVENTS", [f"events.{noun}.>" for noun in FOLLOWED], project.monitors),
        Source("STATUS_EVENTS", [f"status.{noun}.>" for noun in NOUNS], project.pages),
    ]
    parts.workers |= {
        "directory": state.directory.run,
        "project": Projection(NAME, state.db, broker, sources, durable=False).run,
    }
    parts.checks |= app.readiness_checks(broker, state.directory, state.db)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    return app.build(
        NAME, settings or Settings(), _start, [statuspage.routes, incident.routes],
        "Records of status pages, their components, incidents and maintenance.",
    )  # fmt: skip


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
