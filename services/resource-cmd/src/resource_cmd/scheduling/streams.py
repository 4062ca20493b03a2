"""Makes the streams and the probers' consumers, again when the broker has lost them."""

import asyncio
import time
from typing import Any

from pinghome_common.event_log import Relay
from pinghome_common.health import resting
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

STREAMS: dict[str, dict[str, Any]] = {
    # Not synced to disk message by message: PostgreSQL has every event, and the relay tells again what a broker that
    # died has lost (decision 0015).
    "EVENTS": {"subjects": ["events.>"], "discard": "new", "persist_mode": "async"},
    "TELEMETRY": {"subjects": ["telemetry.>"], "discard": "new", "max_age": 7 * 86400 * 10**9},
    # One message a subject and no other limit: a size or age limit evicts the oldest, which are the schedules.
    # Not synced either: a job is worth one interval, and PostgreSQL knows every schedule (decision 0011).
    "SCHEDULES": {
        "subjects": ["schedule.>", "job.>"],
        "discard": "old",
        "max_msgs_per_subject": 1,
        "allow_msg_schedules": True,
        "allow_msg_ttl": True,
        "persist_mode": "async",
    },
}

FILLED = ("EVENTS", "SCHEDULES")
"""Streams that are filled again from PostgreSQL when they are made anew."""

SMALLEST = 64 << 20
"""Bytes below which a limited stream is not worth having."""


async def keep_streams(broker: Broker, settings: Settings, relay: Relay) -> None:
    """Looks at each new connection to the broker, for a lost store comes with a restart."""
    seen = 0
    while True:
        if broker.connected and broker.generation != seen:
            generation = broker.generation
            await make_streams(broker, settings.nats_replicas, settings.stream_max_bytes)
            for region in settings.regions:
                await make_queue(broker, region)
            relay.doubt()
            seen = generation
        with resting():
            await asyncio.sleep(0.2)


async def make_streams(broker: Broker, replicas: int, telemetry_bytes: int) -> None:
    """Creates the streams that are missing and brings the others' settings up to date.

    A new stream's sequence starts at the time of its birth (100 µs units), so that positions go on growing
    when a lost stream is made anew.
    """
    for name, settings in STREAMS.items():
        config = {"name": name, "storage": "file", "num_replicas": replicas, "allow_direct": True, **settings}
        if name == "TELEMETRY":
            config["max_bytes"] = telemetry_bytes
        if replicas > 1:  # where the copies are what keeps a message
            config.pop("persist_mode", None)
        answer = await broker.api(f"STREAM.UPDATE.{name}", config)
        holed = name == "EVENTS" and answer.get("state", {}).get("num_deleted")  # nobody deletes events
        if name in FILLED and (holed or "error" in answer):  # what cannot be changed or mended is made anew
            await broker.api(f"STREAM.DELETE.{name}")
        elif "error" not in answer:
            continue
        first = {"first_seq": int(time.time() * 10_000)}
        answer = await broker.api(f"STREAM.CREATE.{name}", config | first)
        while "error" in answer and config.get("max_bytes", 0) > SMALLEST:  # the disk may be smaller than wished
            config["max_bytes"] //= 2
            answer = await broker.api(f"STREAM.CREATE.{name}", config | first)
        if "error" in answer:
            raise RuntimeError(f"the stream {name} cannot be made: {answer['error'].get('description')}")


async def make_queue(broker: Broker, region: str) -> None:
    """Makes the durable consumer that the probers of a region share; the region's name is an operator's word."""
    name = f"prober-{region}"
    config = {
        "durable_name": name,
        "filter_subject": f"job.{region}.>",
        "ack_policy": "explicit",
        "ack_wait": 30 * 10**9,
        "max_ack_pending": 20_000,
        "max_deliver": -1,
    }
    answer = await broker.api(
        f"CONSUMER.CREATE.SCHEDULES.{name}.job.{region}.>", {"stream_name": "SCHEDULES", "config": config}
    )
    if "error" in answer:
        raise RuntimeError(f"the consumer {name} cannot be made: {answer['error'].get('description')}")
