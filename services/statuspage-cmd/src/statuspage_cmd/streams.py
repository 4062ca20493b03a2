"""Makes the stream of this service's events, again when the broker has lost it."""

from pinghome_common.event_log import Relay
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker, streams

STREAM, PREFIX = "STATUS_EVENTS", "status"

# Not synced to disk message by message: PostgreSQL has every event (decision 0015).
STREAMS = {STREAM: {"subjects": [f"{PREFIX}.>"], "discard": "new", "persist_mode": "async"}}


async def keep_streams(broker: Broker, settings: Settings, relay: Relay) -> None:
    """Keeps the stream as long as the service runs; the relay looks what is missing in it."""

    async def make_all() -> None:
        await streams.make(broker, settings.nats_replicas, STREAMS)
        relay.doubt()

    await streams.keep(broker, make_all)
