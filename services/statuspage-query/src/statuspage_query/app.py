"""statuspage-query: status pages, their components, and how these are and were."""

import asyncio
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, migrate
from pinghome_common.app import Worker
from pinghome_common.audit import Audit, Expiry
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.event_streams import EventStreams
from pinghome_common.events import page_domains
from pinghome_common.feed import Feed
from pinghome_common.health import resting
from pinghome_common.health_report import answer_health
from pinghome_common.mended import mended_at
from pinghome_common.page_pass import page_key
from pinghome_common.projection import UNAWAITED, Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.retention import Retention
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statuspage_query import changes, points, project
from statuspage_query.api.pinghome import change, event, incident, preview, statuspage, subscription
from statuspage_query.api.pingpong import components, incidents, metrics, status, widgets
from statuspage_query.claims import Claims
from statuspage_query.domains import Domains
from statuspage_query.project import FOLLOWED, NAME, NOUNS
from statuspage_query.public.addresses import Addresses
from statuspage_query.public.changes import tell
from statuspage_query.public.pages import PublicPages
from statuspage_query.public.publisher import Publisher
from statuspage_query.public.snapshot import Snapshot
from statuspage_query.retention import OLD

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("statuspage_query")
    migrated = asyncio.Event()
    state.db = await parts.stack.enter_async_context(Database(url))
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    state.directory = Directory(broker, settings.data / NAME / "known")
    progress = ProjectionProgress(broker, NAME, most=settings.read_your_writes_seconds)
    await progress.listen()
    subjects = [f"status.{noun}.>" for noun in changes.NOUNS]
    rebuilt = partial(mended_at, state.db, "STATUS_EVENTS")
    feed = state.feed = Feed(broker, "STATUS_EVENTS", subjects, changes.describe, NAME, progress, rebuilt)
    state.event_streams = EventStreams()
    publisher: Publisher = state.publisher
    noted = publisher.changes
    claims = state.claims = Claims(state.db, Domains(settings.dns_resolver), settings, tell)
    projector = project.Projector(Audit(settings.audit_kept_days))
    sources = [
        Source(
            "EVENTS",
            [f"events.{noun}.>" for noun in FOLLOWED],
            noted.watching(projector.monitors, followed=True),
            calm=UNAWAITED,
        ),
        Source(
            "STATUS_EVENTS", [f"status.{noun}.>" for noun in NOUNS], noted.watching(projector.pages, followed=False)
        ),
        Source("TELEMETRY", ["telemetry.result.>", "telemetry.point.>"], project.telemetry),
    ]
    projection = Projection(NAME, state.db, broker, sources, after=noted.committed, durable=False)

    async def project_all() -> None:
        if not migrated.is_set():  # not before it listens: pages are served while there is no database
            await migrate.upgrade((url, MIGRATIONS))
            migrated.set()
            await broker.serve(page_domains.SUBJECT, NAME, claims.verified)
        await projection.run()

    def then(work: Worker) -> Worker:
        async def worker() -> None:
            with resting():
                await migrated.wait()
            await work()

        return worker

    async def tables() -> str | None:
        return None if migrated.is_set() else "the database is not migrated yet"

    parts.workers |= {
        "directory": state.directory.run,
        "project": project_all,
        "publish": then(lambda: publisher.run(state.db, lambda: broker.connected)),
        "claims": then(claims.run),
        "retention": then(Retention(state.db, OLD).run),
        "feed": then(feed.run),
        "audit": then(Expiry(state.db, settings.audit_kept_days).run),
        "thin": then(points.Retention(state.db).run),
    }
    parts.checks |= {
        "tables": tables,
        "pages": publisher.problem,
        **app.readiness_checks(broker, state.directory, state.db),
    }


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    settings = settings or Settings()
    nouns = (
        statuspage,
        preview,
        incident,
        subscription,
        change,
        event,
        components,
        incidents,
        metrics,
        status,
        widgets,
    )
    application = app.build(
        NAME, settings, _start, [noun.routes for noun in nouns],
        "Public status pages, and records of them, their components, incidents, maintenance and subscriptions.",
    )  # fmt: skip
    publisher = application.state.publisher = Publisher(Snapshot(settings.data / NAME / "pages"))
    addresses = application.state.addresses = Addresses(settings)
    application.state.is_page_host = partial(addresses.is_page, domains=publisher.by_domain)
    application.front = PublicPages(application.front, publisher, addresses, page_key(settings))
    return application


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
