"""The streams seen from outside, with plain nats-py and the operator's user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from under_test import Platform


@asynccontextmanager
async def admin(platform: Platform) -> AsyncIterator[Client]:
    """A connection of our own."""
    client = await nats.connect(platform.servers.nats_url("admin").split(","), connect_timeout=2, allow_reconnect=False)
    try:
        yield client
    finally:
        await client.close()


async def read(client: Client, stream: str, subject: str) -> list[Msg]:
    """Every message of a stream whose subject matches, in order."""
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
    reader = await client.jetstream().pull_subscribe(subject, stream=stream, config=config)
    found: list[Msg] = []
    left = (await reader.consumer_info()).num_pending or 0
    while len(found) < left:
        try:
            found += await reader.fetch(min(500, left - len(found)), timeout=5)
        except NothingCame as error:
            raise RuntimeError(f"{stream} gave {len(found)} of {left} messages") from error
    await reader.unsubscribe()
    return found


async def last_seq(client: Client, stream: str, *subjects: str) -> int:
    """The sequence of the newest message on some subjects; 0 when there is none."""
    newest = 0
    for subject in subjects:
        try:
            newest = max(newest, (await client.jetstream().get_last_msg(stream, subject)).seq or 0)
        except NotFoundError:
            continue
    return newest
