"""data-gateway: the door for check-ins; it needs neither a database nor, for half an hour's worth, the broker."""

from fastapi import FastAPI

from data_gateway.accept import Door
from data_gateway.api.healthchecks import ping
from data_gateway.api.pinghome import heartbeat
from data_gateway.commit import Committer
from data_gateway.fast import FastPath
from data_gateway.mail import Mailbox
from pinghome_common import app
from pinghome_common.known import Known
from pinghome_common.limits import PINGS
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

NAME = "data-gateway"


async def _start(application: FastAPI, parts: app.Parts) -> None:
    state, settings = application.state, application.state.settings
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME))
    door: Door = state.door
    door.broker = broker
    state.known = door.known = Known(broker, settings.data / NAME / "known", {"heartbeat": door.learn})
    door.committer = committer = Committer(broker, settings.data / NAME, lambda: door.known.ready)
    parts.workers |= {"known": state.known.run, "commit": committer.run, "drain": committer.drain}
    if settings.smtp_listen:
        parts.workers["mail"] = Mailbox(door, settings).run
    parts.checks |= app.checks(broker, state.known)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; without settings they come from the environment."""
    settings = settings or Settings()
    application = app.build(NAME, settings, _start, [heartbeat.routes, ping.routes], "Check-ins of heartbeats.")
    application.state.door = Door()
    application.add_middleware(FastPath, door=application.state.door, body_limit=settings.ping_body_limit)
    return application


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app, PINGS)
