"""A work queue, shared by several processes."""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from nats.aio.msg import Msg

from pinghome_common.errors import Unavailable
from pinghome_common.stream.broker import CONNECTION_ERRORS, Broker
from pinghome_common.stream.message import meta


@dataclass(slots=True)
class Task:
    """One message of a work queue; it is delivered again unless it is acknowledged."""

    subject: str
    data: bytes
    at: int
    """UNIX nanoseconds when it was published."""
    reply: str


class Queue:
    """A durable consumer that several processes share; each requests as many messages as it can handle."""

    def __init__(self, broker: Broker, stream: str, consumer: str) -> None:
        self._broker, self._next = broker, f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._arrived: list[Msg] = []
        self._wake = asyncio.Event()
        self._requested = 0
        self._expires = 0.0
        self._generation = 0
        self._inbox = ""

    async def take(self, limit: int) -> list[Task]:
        """The next messages, about `limit` at most; empty after two seconds without any.

        Raises:
            Unavailable: the broker is unavailable.
        """
        client = self._broker.client
        try:
            if self._generation != self._broker.generation:
                self._generation, self._inbox, self._requested = self._broker.generation, client.new_inbox(), 0
                await client.subscribe(self._inbox, cb=self._arrive, pending_msgs_limit=-1, pending_bytes_limit=-1)
            if time.monotonic() > self._expires:
                self._requested = 0  # in case the broker has lost the request
            if self._requested <= limit // 2 and not self._arrived:  # not for each message
                self._expires = time.monotonic() + 6
                request = {"batch": limit - self._requested, "expires": 5 * 10**9}
                self._requested = limit
                await client.publish(self._next, json.dumps(request).encode(), reply=self._inbox)
        except CONNECTION_ERRORS as error:
            raise Unavailable("The message broker is not reachable right now.") from error
        if not self._arrived:
            self._wake.clear()
            try:
                async with asyncio.timeout(2):
                    await self._wake.wait()
            except TimeoutError:
                return []
        arrived, self._arrived = self._arrived, []
        return [Task(msg.subject, msg.data, meta(msg.reply)[3], msg.reply) for msg in arrived]

    async def _arrive(self, msg: Msg) -> None:
        if msg.reply.startswith("$JS.ACK."):
            self._requested = max(self._requested - 1, 0)
            self._arrived.append(msg)
            self._wake.set()
        else:  # a request has expired, or the consumer does not exist yet
            self._requested = 0

    async def done(self, tasks: Iterable[Task]) -> None:
        """Acknowledges messages; if that is lost, they are delivered again, which must be harmless."""
        for task in tasks:
            await self._broker.publish_core(task.reply, b"+ACK")
