"""prober: probes the monitors scheduled for its region; it holds only that region's key."""

from functools import partial

from fastapi import FastAPI

from pinghome_common import app
from pinghome_common.guard import Guard
from pinghome_common.process_folder import process_folder
from pinghome_common.secret import region_key
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from prober.anchors import Anchors
from prober.probes import PROBES, Probe, icmp
from prober.probes.site import suffixes
from prober.worker import Prober

NAME = "prober"


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    settings = application.state.settings
    region = settings.region or settings.regions[0]
    key = bytes.fromhex(settings.region_key) if settings.region_key else region_key(settings.secret_key, region)
    link = Broker(settings.nats_url, f"{NAME}-{region}", settings.nats_ca, ping_interval=2)
    broker = await parts.stack.enter_async_context(link)
    suffixes()  # loaded now, before a probe has to wait for it
    PROBES["icmp"] = _icmp_probe(settings.probe_pinger)
    guard, anchors = Guard(settings.probe_allow_cidrs), Anchors(settings.probe_anchors)
    folder = parts.stack.enter_context(process_folder(settings.data / f"{NAME}-{region}"))
    prober = Prober(broker, region, key, guard, anchors, folder, settings.prober_spool_bytes)
    await broker.serve(f"probe.{region}", NAME, prober.dry_run)
    outbox = prober.outbox
    parts.workers |= {"take": prober.take, "publish": outbox.publish, "drain": outbox.drain}
    parts.workers |= {"fetch": prober.fetch, "alone": prober.work_alone, "say": prober.say, "adopt": outbox.adopt}
    parts.checks |= app.readiness_checks(broker)


def _icmp_probe(pinger: str) -> Probe:
    if pinger != "aioping":
        return icmp.probe
    from prober import aioping_echo  # noqa: PLC0415  # an optional extra

    return partial(icmp.probe, echo=aioping_echo.ping)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; settings default to the environment."""
    return app.build(NAME, settings or Settings(), _start, [], "A regional prober: health and metrics only.")


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app)
