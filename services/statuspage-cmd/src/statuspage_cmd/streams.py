"""Makes the stream of this service's events, again when the broker has lost it."""

import asyncio

from pinghome_common.event_log import Relay
from pinghome_common.health import resting
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker, streams

STREAM, PREFIX = "STATUS_EVENTS", "status"

# Not synced to disk message by message: PostgreSQL has every event (decision 0015).
STREAMS = {STREAM: {"subjects": [f"{PREFIX}.>"], "discard": "new", "persist_mode": "async"}}


async def keep_streams(broker: Broker, settings: Settings, relay: Relay) -> None:
    """Looks at each new connection to the broker, for a lost store comes with a restart."""
    seen = 0
    while True:
        if broker.connected and broker.generation != seen:
            generation = broker.generation
            await streams.make(broker, settings.nats_replicas, STREAMS)
            relay.doubt()
            seen = generation
        with resting():
            await asyncio.sleep(0.2)
