"""resource-query: monitors, heartbeats, servers, services, channels and integrations, with their state."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, migrate
from pinghome_common.audit import Audit, Expiry
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.event_streams import EventStreams
from pinghome_common.feed import Feed
from pinghome_common.health_report import answer_health
from pinghome_common.mended import mended_at
from pinghome_common.projection import Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from resource_query import changes
from resource_query.api.healthchecks import badges, channels, checks
from resource_query.api.healthchecks.badge_keys import signer
from resource_query.api.pinghome import (
    change,
    channel,
    event,
    expiry,
    health,
    heartbeat,
    integration,
    key,
    overview,
    prometheus,
    region,
    resource,
    server_resource,
    service,
)
from resource_query.organisations import Organisations
from resource_query.overview import EndedRuns
from resource_query.project import KINDS, NAME, SUBJECTS, Projector

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("resource_query")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url))
    broker = state.broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    state.organisations = Organisations()
    state.directory = Directory(broker, settings.data / NAME / "known", {"organisation": state.organisations.apply})
    state.progress = ProjectionProgress(broker, NAME, most=settings.read_your_writes_seconds)
    await state.progress.listen()
    subjects = [f"events.{noun}.>" for noun in changes.NOUNS]
    rebuilt = partial(mended_at, state.db, "EVENTS")
    state.feed = Feed(broker, "EVENTS", subjects, changes.describe, NAME, state.progress, rebuilt)
    state.event_streams = EventStreams()
    state.rendered_settings = {}
    state.signer = signer(settings)
    projector = Projector(broker, Audit(settings.audit_kept_days))
    sources = [
        Source("EVENTS", SUBJECTS, projector.events),
        Source("TELEMETRY", [f"telemetry.{kind}.>" for kind in KINDS], projector.telemetry, whole=True),
    ]
    parts.workers |= {
        "directory": state.directory.run,
        "project": Projection(NAME, state.db, broker, sources, durable=False).run,
        "ended runs": EndedRuns(state.db).run,
        "feed": state.feed.run,
        "audit": Expiry(state.db, settings.audit_kept_days).run,
    }
    parts.checks |= app.readiness_checks(broker, state.directory, state.db)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    nouns = (
        resource,
        expiry,
        heartbeat,
        health,
        server_resource,
        service,
        overview,
        change,
        event,
        prometheus,
        region,
        channel,
        integration,
        key,
        checks,
        channels,
        badges,
    )
    routers = [*(noun.routes for noun in nouns), badges.images]
    return app.build(
        NAME, settings or Settings(), _start, routers, "Records of uptime monitors, heartbeats and services."
    )


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
