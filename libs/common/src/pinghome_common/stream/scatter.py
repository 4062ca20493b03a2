"""Asks whoever listens, and takes what they answer in time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from nats.aio.msg import Msg

from pinghome_common.stream.broker import CONNECTION_ERRORS, Broker

LATER = 0.5
"""Seconds that others get once somebody has answered on each subject."""


async def ask_all(broker: Broker, subjects: Sequence[str], wait: float) -> list[bytes]:
    """The answers to a request on some subjects that come in `wait` seconds; none without the broker.

    Once there is one on each subject, the rest is expected soon.
    """
    found: list[bytes] = []
    silent, all_ = set(subjects), asyncio.Event()

    async def heard(msg: Msg) -> None:
        if msg.data:  # empty where nobody listens
            found.append(msg.data)
            silent.discard(subject_of[msg.subject])
            if not silent:
                all_.set()

    if not broker.connected:
        return []
    with suppress(*CONNECTION_ERRORS):
        client = broker.client
        inbox = client.new_inbox()
        subject_of = {f"{inbox}.{place}": subject for place, subject in enumerate(subjects)}
        subscription = await client.subscribe(f"{inbox}.*", cb=heard)
        try:
            for reply, subject in subject_of.items():
                await client.publish(subject, b"", reply=reply)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await all_.wait()
                    await asyncio.sleep(LATER)
        finally:
            await subscription.unsubscribe()
    return found
