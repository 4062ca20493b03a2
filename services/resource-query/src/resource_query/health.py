"""How every process of the platform is: each is asked over the broker."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from pinghome_common.errors import Unavailable
from pinghome_common.health_report import HealthReport, decode, report
from pinghome_common.stream import Broker, ask_all

SERVICES = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway")
"""All that answer; probers say by themselves that they live."""
STREAMS = ("EVENTS", "TELEMETRY")
WITHIN = 2.0
"""Seconds after which a process that has not answered is away."""


@dataclass(frozen=True, slots=True)
class Health:
    """The processes of each service that answer, and the state of the streams, as JetStream tells it."""

    services: dict[str, list[HealthReport]]
    streams: dict[str, dict[str, Any]]


async def ask(application: FastAPI, broker: Broker) -> Health:
    """Asks all of them; the process that asks is there in any case."""
    own = await report(application)
    found: dict[str, dict[str, HealthReport]] = defaultdict(dict)
    for each in [*map(decode, await ask_all(broker, [f"health.{name}" for name in SERVICES], WITHIN)), own]:
        found[each.service][each.process] = each
    services = {name: [found[name][process] for process in sorted(found[name])] for name in SERVICES}
    return Health(services, {name: await _stream(broker, name) for name in STREAMS})


async def _stream(broker: Broker, name: str) -> dict[str, Any]:
    try:
        info = await broker.info(name)
    except Unavailable:
        return {}
    return {**info["state"], "max_bytes": info["config"].get("max_bytes", -1)}
