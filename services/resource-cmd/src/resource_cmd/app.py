"""resource-cmd: commands on monitors, heartbeats, services and keys; it schedules, judges and remembers."""

from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, event_log, migrate
from pinghome_common.db import Connection, Database
from pinghome_common.directory import Directory
from pinghome_common.events.provisioning import SUBJECT
from pinghome_common.guard import Guard
from pinghome_common.health_report import answer_health
from pinghome_common.items import Item
from pinghome_common.projection import Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.secret import derive
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from pinghome_delivery.confirm import Confirmer
from pinghome_delivery.dispatcher import Dispatcher
from pinghome_delivery.mail import Mail
from pinghome_delivery.message import Transports
from pinghome_delivery.rate_limiter import RateLimiter, TestsPaced
from pinghome_delivery.web import Web
from resource_cmd.accounts import key as keys
from resource_cmd.accounts import organisation
from resource_cmd.api import confirm
from resource_cmd.api.healthchecks import checks
from resource_cmd.api.pinghome import (
    channel,
    dry_run,
    heartbeat,
    integration,
    key,
    reminder,
    resource,
    server_resource,
    service,
    session,
)
from resource_cmd.delivery import mutes, pages
from resource_cmd.delivery.audience import MonitorAudience
from resource_cmd.evaluation import ops_heartbeat
from resource_cmd.evaluation.deadlines import DeadlineWorker
from resource_cmd.evaluation.prober_watch import ProberWatch
from resource_cmd.evaluation.telemetry import KINDS, TelemetryConsumer
from resource_cmd.evaluation.unjudged import Unjudged
from resource_cmd.evaluation.unmuted import Unmuted
from resource_cmd.expiry.domains import Domains
from resource_cmd.expiry.reminder_worker import ReminderWorker
from resource_cmd.heartbeats.auto_provisioning import AutoProvisioning
from resource_cmd.monitors import adopted
from resource_cmd.retention import Retention
from resource_cmd.scheduling import regions
from resource_cmd.scheduling.dry_run import DryRuns
from resource_cmd.scheduling.scheduler import Scheduler
from resource_cmd.scheduling.streams import keep_streams

NAME = "resource-cmd"

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("resource_cmd")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url, size=12))
    state.guard = Guard(settings.probe_allow_cidrs)
    await organisation.bootstrap(state.db, settings)
    await regions.seed(state.db, settings.regions)
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    state.directory = Directory(broker, settings.data / NAME / "known")
    most = settings.read_your_writes_seconds
    state.progress = ProjectionProgress(broker, "resource-query", "statistic-query", most=most)
    state.evaluated = ProjectionProgress(broker, NAME, most=most)
    for progress in (state.progress, state.evaluated):
        await progress.listen()
    state.relay = event_log.Relay(state.db, broker)
    provisioning = AutoProvisioning(state.db, state.relay, state.progress, settings.checks_limit)
    await broker.serve(SUBJECT, NAME, provisioning.answer)
    state.regions = regions.Regions(state.db, broker, settings.secret_key)
    await state.regions.load()
    state.scheduler = Scheduler(state.db, broker, settings.secret_key, state.regions)
    for worker in (state.relay, state.scheduler):
        await worker.reachable(broker, NAME)
    state.dry_runs = DryRuns(broker, settings.secret_key, state.regions)
    state.tests = TestsPaced(settings.channel_tests_per_minute)
    state.transports = _transports(settings, state.guard)
    parts.stack.push_async_callback(state.transports.web.close)
    audience = MonitorAudience(state.db, state.transports, derive(settings.secret_key, "channel"))
    dispatcher = Dispatcher(state.db, state.transports, audience, state.relay.wake)

    def decided() -> None:
        state.relay.wake()
        dispatcher.wake()

    consumer = TelemetryConsumer(settings.period_unit_seconds, settings.server_grace_seconds)
    sources = [
        Source("TELEMETRY", [f"telemetry.{kind}.>" for kind in KINDS], consumer.apply, whole=True),
        Source(
            "STATUS_EVENTS", [f"status.{noun}.>" for noun in {*pages.NOUNS, *mutes.NOUNS, *adopted.NOUNS}], _hear_pages
        ),
    ]
    evaluation = Projection(NAME, state.db, broker, sources, after=decided)
    deadlines = DeadlineWorker(state.db, decided, settings.period_unit_seconds)
    domains = Domains(state.db, state.guard, settings.rdap_bootstrap_url, state.relay.wake)
    parts.workers |= {
        "streams": lambda: keep_streams(broker, settings, state.relay, state.regions.make_queues),
        "regions": state.regions.run,
        "retention": Retention(state.db).run,
        "directory": state.directory.run,
        "relay": state.relay.run,
        "scheduler": state.scheduler.run,
        "evaluation": evaluation.run,
        "deadlines": deadlines.run,
        "domains": domains.run,
        "reminders": ReminderWorker(state.db, decided).run,
        "probers": ProberWatch(state.db, decided, settings.ops_channel or None).run,
        "unjudged": Unjudged(state.db, decided).run,
        "unmuted": Unmuted(state.db, decided).run,
        "dispatcher": dispatcher.run,
        "confirm": Confirmer(state.db, state.transports, derive(settings.secret_key, "confirm"), _url(settings)).run,
    }
    if settings.ops_heartbeat_url:
        projections = ProjectionProgress(broker, *ops_heartbeat.PROJECTIONS, most=most)
        await projections.listen()
        parts.workers["ops heartbeat"] = ops_heartbeat.OpsHeartbeat(
            state.db, lambda: state.checks, projections, state.transports.web,
            settings.ops_heartbeat_url, settings.ops_heartbeat_seconds,
        ).run  # fmt: skip
    parts.checks |= {"relay": state.relay.problem, **app.readiness_checks(broker, state.directory, state.db)}


async def _hear_pages(tx: Connection, items: list[Item]) -> None:
    await mutes.hear(tx, items)
    await pages.hear(tx, items)
    await keys.forget_pages(tx, items)
    await adopted.hear(tx, items)


def _url(settings: Settings) -> str:
    """Where the platform is found: what requests call it is not to be believed."""
    return settings.public_url or f"http://localhost:{settings.port}"


def _transports(settings: Settings, guard: Guard) -> Transports:
    return Transports(
        guard=guard,
        web=Web(guard),
        mail=Mail(url=settings.smtp_url, sender=settings.mail_from) if settings.smtp_url else None,
        pace=RateLimiter(),
        statuspage_url=settings.statuspage_io_url.rstrip("/"),
        statuspage_token=settings.statuspage_io_token,
        statuspage_pages=frozenset(settings.statuspage_io_pages),
        confirmed_domains=frozenset(map(str.lower, settings.mail_confirmed_domains)),
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; without settings they come from the environment."""
    # The busiest first, for it is found first.
    nouns = (
        *(heartbeat, checks, resource, reminder, dry_run, server_resource, service, channel, integration),
        *(session, key, confirm),
    )
    return app.build(
        NAME, settings or Settings(), _start, [*(noun.routes for noun in nouns), session.public],
        "Commands on uptime monitors, heartbeats, services, channels and integrations; sessions and keys.",
    )  # fmt: skip


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
