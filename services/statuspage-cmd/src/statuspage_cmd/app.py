"""statuspage-cmd: commands on status pages."""

from pathlib import Path

from fastapi import FastAPI

from pinghome_common import app, event_log, migrate
from pinghome_common.address_counts import AddressCounts
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.events import followed
from pinghome_common.guard import Guard
from pinghome_common.health_report import answer_health
from pinghome_common.limits import PICTURES
from pinghome_common.page_pass import page_key
from pinghome_common.projection import UNAWAITED, Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from pinghome_delivery.dispatcher import Dispatcher
from pinghome_delivery.mail import Mail
from pinghome_delivery.message import Transports
from pinghome_delivery.rate_limiter import RateLimiter
from pinghome_delivery.web import Web
from statuspage_cmd.api import subscription_page, unlock
from statuspage_cmd.api.cors import PublicCors
from statuspage_cmd.api.pinghome import incident, maintenance, picture, statuspage, subscription, template
from statuspage_cmd.api.pingpong import component_groups, components, custom_metrics, incidents, metrics
from statuspage_cmd.api.pingpong import maintenance as project_maintenance
from statuspage_cmd.incidents.followed import follow
from statuspage_cmd.incidents.watch import Watch
from statuspage_cmd.maintenance.clock import Clock
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.pages.first import FirstPage
from statuspage_cmd.pages.tries import Tries
from statuspage_cmd.retention import Retention
from statuspage_cmd.streams import PREFIX, STREAM, keep_streams
from statuspage_cmd.subscriptions.audience import Subscribers
from statuspage_cmd.subscriptions.keys import keys

NAME = "statuspage-cmd"

MIGRATIONS = Path(__file__).parent / "migrations"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    url = settings.database("statuspage_cmd")
    await migrate.upgrade((url, MIGRATIONS))
    state.db = await parts.stack.enter_async_context(Database(url, size=12))
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    state.directory = Directory(broker, settings.data / NAME / "known")
    state.progress = ProjectionProgress(broker, "statuspage-query", most=settings.read_your_writes_seconds)
    await state.progress.listen()
    state.relay = event_log.Relay(state.db, broker, STREAM, PREFIX)
    state.guard, state.keys = Guard(settings.probe_allow_cidrs), keys(settings)
    state.subscription_requests = AddressCounts(settings.subscriptions_per_hour, 3600)
    state.page_key, state.unlock_tries = page_key(settings), Tries()
    transports = Transports(
        guard=state.guard,
        web=Web(state.guard),
        mail=Mail(url=settings.smtp_url, sender=settings.mail_from) if settings.smtp_url else None,
        pace=RateLimiter(60 / settings.mail_per_minute),
    )
    parts.stack.push_async_callback(transports.web.close)
    addresses = Addresses(settings, broker)
    audience = Subscribers(
        state.db, addresses, state.keys, mails=bool(settings.smtp_url), most=settings.subscribers_limit,
        after=state.relay.wake,
    )  # fmt: skip
    state.dispatcher = Dispatcher(state.db, transports, audience, state.relay.wake)

    def decided() -> None:
        state.relay.wake()
        state.dispatcher.wake()

    first_page = FirstPage(state.db, state.directory, state.relay.wake)
    watch = Watch(state.db, broker, decided)
    await state.relay.reachable(broker, NAME)
    sources = [Source("EVENTS", [f"events.{noun}.>" for noun in followed.NOUNS], follow, calm=UNAWAITED)]
    parts.workers |= {
        "streams": lambda: keep_streams(broker, settings, state.relay),
        "directory": state.directory.run,
        "relay": state.relay.run,
        "followed": Projection(NAME, state.db, broker, sources, after=watch.wake).run,
        "first page": first_page.run,
        "watch": watch.run,
        "clock": Clock(state.db, decided).run,
        "addresses": addresses.run,
        "dispatcher": state.dispatcher.run,
        "retention": Retention(state.db, addresses).run,
    }
    parts.checks |= {"relay": state.relay.problem, "first page": first_page.problem}
    parts.checks |= app.readiness_checks(broker, state.directory, state.db)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; without settings they come from the environment."""
    nouns = (
        statuspage, picture, incident, maintenance, template, subscription, subscription_page, unlock,
        components, component_groups, incidents, project_maintenance, metrics, custom_metrics,
    )  # fmt: skip
    application = app.build(
        NAME, settings or Settings(), _start, [subscription.public, *(noun.routes for noun in nouns)],
        "Commands on status pages, their components, incidents, maintenance and subscriptions.",
    )  # fmt: skip
    application.add_middleware(PublicCors)
    return application


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app, PICTURES)
