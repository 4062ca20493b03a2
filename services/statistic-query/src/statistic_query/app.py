"""statistic-query: uptime, response times, state changes, pings, notifications and figures of servers."""

from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, migrate
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.health_report import answer_health
from pinghome_common.projection import Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statistic_query import notifications
from statistic_query.api.healthchecks import flips, ping
from statistic_query.api.pinghome import (
    heartbeat,
    notification,
    resource,
    result,
    server_resource,
    service,
    statuspage,
)
from statistic_query.partition import Partitions, Retention
from statistic_query.pings import Pruner
from statistic_query.project import NAME, NOUNS, Projector
from statistic_query.servers.rollups import Rollups

MIGRATIONS = Path(__file__).parent / "migrations"


def partitions_of(settings: Settings) -> Partitions:
    """How long the rows of each table are kept."""
    return Partitions(
        {
            "result": settings.results_kept_days,
            "failure": settings.results_kept_days,
            "ping": settings.pings_kept_days,
            "state_change": settings.changes_kept_days,
            "flip": settings.changes_kept_days,
            "sample": settings.metrics_raw_kept_days,
            "metric_minute": settings.metrics_minutes_kept_days,
            "metric_hour": settings.metrics_hours_kept_days,
        }
    )


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("statistic_query")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url))
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    state.directory = Directory(broker, settings.data / NAME / "known")
    most = settings.read_your_writes_seconds
    state.progress = ProjectionProgress(broker, NAME, most=most)
    state.evaluated = ProjectionProgress(broker, "resource-cmd", most=most)
    for progress in (state.progress, state.evaluated):
        await progress.listen()
    partitions = partitions_of(settings)
    projector = Projector(broker, partitions)
    sources = [
        Source("EVENTS", [f"events.{noun}.>" for noun in NOUNS], projector.events, whole=True),
        Source("STATUS_EVENTS", [f"status.{noun}.>" for noun in notifications.NOUNS], notifications.pages),
        Source(
            "TELEMETRY",
            ["telemetry.ping.>", "telemetry.result.>", "telemetry.metric.>"],
            projector.telemetry,
            whole=True,
        ),
    ]
    parts.workers |= {
        "prune": Pruner(state.db, settings.pings_kept).run,
        "directory": state.directory.run,
        "project": Projection(NAME, state.db, broker, sources, durable=False).run,
        "expire": Retention(state.db, partitions).run,
        "rollup": Rollups(state.db, partitions_of(settings)).run,
    }
    parts.checks |= app.readiness_checks(broker, state.directory, state.db)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    nouns = (resource, result, server_resource, heartbeat, service, notification, statuspage, flips, ping)
    return app.build(
        NAME,
        settings or Settings(),
        _start,
        [noun.routes for noun in nouns],
        "Statistics of uptime monitors, heartbeats and servers; who was told what of status pages.",
    )


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
