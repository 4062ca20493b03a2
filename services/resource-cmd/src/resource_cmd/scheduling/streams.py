"""Makes the streams and the probers' consumers, again when the broker has lost them."""

from collections.abc import Awaitable, Callable
from typing import Any

from pinghome_common.event_log import Relay
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker, streams

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


async def keep_streams(
    broker: Broker, settings: Settings, relay: Relay, make_queues: Callable[[], Awaitable[None]]
) -> None:
    """Keeps the streams and the queues of the regions as long as the service runs; the relay looks what is missing."""

    async def make_all() -> None:
        await make_streams(broker, settings.nats_replicas, settings.stream_max_bytes)
        await make_queues()
        relay.doubt()

    await streams.keep(broker, make_all)


async def make_streams(broker: Broker, replicas: int, telemetry_bytes: int) -> None:
    """Creates the streams that are missing and brings the others' settings up to date."""
    limited = STREAMS | {"TELEMETRY": STREAMS["TELEMETRY"] | {"max_bytes": telemetry_bytes}}
    await streams.make(broker, replicas, limited)


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
