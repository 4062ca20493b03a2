"""Asks whoever listens, and takes what they answer in time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from nats.aio.msg import Msg

from pinghome_common.stream.broker import CONNECTION_ERRORS, Broker


async def ask_all(broker: Broker, subjects: Sequence[str], wait: float) -> list[bytes]:
    """The answers to a request on some subjects that come in `wait` seconds; none without the broker."""
    found: list[bytes] = []

    async def heard(msg: Msg) -> None:
        if msg.data:  # empty where nobody listens
            found.append(msg.data)

    if not broker.connected:
        return []
    with suppress(*CONNECTION_ERRORS):
        client = broker.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, cb=heard)
        try:
            for subject in subjects:
                await client.publish(subject, b"", reply=inbox)
            await asyncio.sleep(wait)
        finally:
            await subscription.unsubscribe()
    return found
