"""Makes streams, again when the broker has lost them."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from pinghome_common.health import resting
from pinghome_common.stream.broker import Broker

SMALLEST = 64 << 20
"""Bytes below which a limited stream is not worth having."""


async def keep(broker: Broker, make_all: Callable[[], Awaitable[None]]) -> None:
    """Has the streams made at each new connection to the broker, for a lost store comes with a restart."""
    seen = 0
    while True:
        while broker.connected and broker.generation != seen:
            generation = broker.generation
            await make_all()
            seen = generation
        with resting():
            await broker.change()


async def make(broker: Broker, replicas: int, streams: dict[str, dict[str, Any]]) -> None:
    """Creates the streams that are missing and brings the others' settings up to date.

    Those with `persist_mode: async` are filled again from PostgreSQL, so that what cannot be changed or mended is made
    anew. A new stream's sequence starts at the time of its birth (100 µs units), so that positions go on growing
    when a lost stream is made anew.

    Raises:
        RuntimeError: one cannot be made.
        Unavailable: the broker is away.
    """
    for name, settings in streams.items():
        config = {"name": name, "storage": "file", "num_replicas": replicas, "allow_direct": True, **settings}
        filled = config.get("persist_mode") == "async"
        if replicas > 1:  # where the copies are what keeps a message
            config.pop("persist_mode", None)
        answer = await broker.api(f"STREAM.UPDATE.{name}", config)
        is_log = filled and config["discard"] == "new"
        holed = is_log and answer.get("state", {}).get("num_deleted")  # nobody deletes events
        if filled and (holed or "error" in answer):
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
