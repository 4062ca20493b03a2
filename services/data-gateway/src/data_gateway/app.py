"""data-gateway: accepts check-ins; it needs no database and spools while the broker is unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI

from data_gateway.api import agent
from data_gateway.api.healthchecks import ping
from data_gateway.api.otlp import metrics
from data_gateway.api.ping_fast_path import PingFastPath
from data_gateway.api.pinghome import heartbeat, server_resource
from data_gateway.api.pingpong import points
from data_gateway.group_commit import Committer
from data_gateway.metric_intake import MetricIntake
from data_gateway.ping_intake import PingIntake
from data_gateway.point_intake import PointIntake
from pinghome_common import app
from pinghome_common.directory import Directory
from pinghome_common.following import Follower
from pinghome_common.health_report import answer_health
from pinghome_common.limits import PINGS
from pinghome_common.process_folder import process_folder
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

NAME = "data-gateway"


@contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    """This process' own; the first one takes over what was kept in `parent` itself before there could be several."""
    with process_folder(parent) as folder:
        for name in ("name", "spool", "known", "known-metrics") if folder.name == "0" else ():
            if (earlier := parent / name).exists():
                earlier.rename(folder / name)
        yield folder


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state, settings = application.state, application.state.settings
    broker = await parts.stack.enter_async_context(Broker(settings.nats_url, NAME, settings.nats_ca))
    await answer_health(broker, application)
    folder = parts.stack.enter_context(_folder(settings.data / NAME))
    intake: PingIntake = state.intake
    intake.broker = broker
    state.directory = intake.directory = Directory(broker, folder / "known", {"heartbeat": intake.apply})
    intake.committer = committer = Committer(broker, folder, lambda: intake.directory.ready)
    sent: PointIntake = state.point_intake
    sent.metrics = Follower(broker, folder / "known-metrics", {"custom_metric": sent.apply}, "STATUS_EVENTS", "status")
    sent.committer = committer
    samples: MetricIntake = state.metric_intake
    samples.directory, samples.committer = intake.directory, committer
    parts.workers |= {"directory": state.directory.run, "commit": committer.run, "drain": committer.drain}
    parts.workers["adopt"] = committer.adopt
    parts.workers["metrics"] = sent.metrics.run
    if settings.smtp_listen:
        from data_gateway.api.healthchecks.mail import MailServer  # noqa: PLC0415  # 2 MB that most never need

        parts.workers["mail"] = MailServer(intake, settings).run
    parts.checks |= app.readiness_checks(broker, state.directory)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    settings = settings or Settings()
    routers = [heartbeat.routes, server_resource.routes, metrics.routes, agent.routes, ping.routes, points.routes]
    application = app.build(
        NAME, settings, _start, routers, "Check-ins of heartbeats, samples of servers, points of custom metrics."
    )
    application.state.intake = PingIntake()
    application.state.point_intake = PointIntake()
    limit = settings.metrics_limit
    application.state.metric_intake = MetricIntake(settings.metrics_raw_kept_days, limit, 2000 * limit)
    application.front = PingFastPath(application.front, application.state.intake, settings.ping_body_limit)
    return application


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app, PINGS)
