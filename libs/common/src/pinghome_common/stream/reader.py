"""Reads a stream in order from the caller's checkpoint."""

import asyncio
import time
from datetime import datetime
from typing import Any
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg

from pinghome_common.errors import Unavailable
from pinghome_common.stream.broker import CONNECTION_ERRORS, Broker
from pinghome_common.stream.message import Message, meta

_HEARTBEAT, _SILENCE = 3, 7.0
"""Seconds between two idle heartbeats, and seconds without one or a message after which a consumer counts as lost; a
process has some twenty consumers, and they only get lost with their node of a cluster or with their stream."""

LONG = 5.0
"""Seconds for which who has nothing else to do waits for messages at a time."""


class Reader:
    """Reads a stream in order without acknowledgements, from the caller's checkpoint, not the broker's.

    After a gap, seven seconds of silence or a reconnection it continues behind the last message that it returned.
    Without a sequence in `after` it starts with the first message of the time `since`, or else with the newest message
    of each subject. With `headers_only`, messages have no data.
    """

    def __init__(
        self,
        broker: Broker,
        stream: str,
        subjects: list[str],
        after: int | None,
        *,
        since: datetime | None = None,
        headers_only: bool = False,
    ) -> None:
        self._broker, self._stream, self._subjects = broker, stream, subjects
        self.position, self._since = after, since
        self._headers_only = headers_only
        self._arrived: list[Msg] = []
        self._wake = asyncio.Event()
        broker.told.add(self._wake)
        self._last_received = 0.0
        self._count = 0
        self.pending = -1
        """The number of messages still to come; -1 if unknown."""
        self._client: Client | None = None
        self._generation = 0
        self._subscription: Any = None
        self._consumer = ""

    async def take(self, wait: float = 1.0, limit: int = 4096) -> list[Message]:
        """Everything that has arrived since the last call, at most `limit`; empty after `wait` seconds without any.

        It is empty sooner when reading has to start again.

        Raises:
            Unavailable: the broker is unavailable.
        """
        self._wake.clear()
        await self._ensure_subscribed()
        if not self._arrived:
            try:
                async with asyncio.timeout(min(wait, self._last_received + _SILENCE - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                return []
        arrived, self._arrived = self._arrived[:limit], self._arrived[limit:]
        messages: list[Message] = []
        for msg in arrived:
            if not msg.reply.startswith("$JS.ACK."):  # flow control, answered once everything before it is taken
                await msg.respond(b"")
                continue
            _, seq, count, at, pending = meta(msg.reply)
            if count != self._count + 1:
                await self.stop()
                break
            self._count, self.position, self.pending = count, seq, pending
            messages.append(Message(seq, msg.subject, msg.data, at // 1000, msg.headers or {}))
        return messages

    async def taken(self) -> None:
        """Waits until `take` has returned everything that the stream held when this was called.

        Asking for the state of the consumer is cheap; finding the newest message of 100,000 subjects takes 29 ms.

        Raises:
            Unavailable: the broker is unavailable, or reading has to start again.
        """
        if consumer := self._consumer:
            info = await self._broker.api(f"CONSUMER.INFO.{self._stream}.{consumer}")
            last = 0 if "error" in info else info["delivered"]["consumer_seq"] + info["num_pending"]
            while "error" not in info and consumer == self._consumer:
                if self._count >= last:
                    return
                await asyncio.sleep(0.005)
        raise Unavailable("The message broker was away a moment ago; please try again in a moment.")

    async def _arrive(self, msg: Msg) -> None:
        self._last_received = time.monotonic()
        if not msg.reply.startswith("$JS.ACK."):  # an idle heartbeat, or a request for flow control
            stalled = (msg.headers or {}).get("Nats-Consumer-Stalled")
            if stalled and self._client:
                await self._client.publish(stalled)
            if not msg.reply:
                return
        self._arrived.append(msg)
        self._wake.set()

    async def _ensure_subscribed(self) -> None:
        client = self._broker.client
        if (
            self._generation == self._broker.generation
            and self._subscription
            and time.monotonic() - self._last_received < _SILENCE
        ):
            return
        await self.stop()
        inbox = client.new_inbox()
        try:
            self._subscription = await client.subscribe(
                inbox, cb=self._arrive, pending_msgs_limit=-1, pending_bytes_limit=-1
            )
        except CONNECTION_ERRORS as error:
            raise Unavailable("The message broker is not reachable right now.") from error
        start: dict[str, Any] = {"deliver_policy": "last_per_subject"}
        if self.position is not None:
            start = {"deliver_policy": "by_start_sequence", "opt_start_seq": self.position + 1}
        elif self._since is not None:
            start = {"deliver_policy": "by_start_time", "opt_start_time": self._since.isoformat()}
        self._consumer = f"reader-{uuid4().hex}"
        config = {
            "name": self._consumer,
            "deliver_subject": inbox,
            "filter_subjects": self._subjects,
            "ack_policy": "none",
            "max_deliver": 1,
            "flow_control": True,
            "idle_heartbeat": _HEARTBEAT * 10**9,
            "inactive_threshold": 30 * 10**9,
            "mem_storage": True,
            "num_replicas": 1,
            "headers_only": self._headers_only,
            **start,
        }
        self._client, self._generation = client, self._broker.generation
        self._count, self._arrived, self._last_received = 0, [], time.monotonic()
        answer = await self._broker.api(
            f"CONSUMER.CREATE.{self._stream}.{self._consumer}", {"stream_name": self._stream, "config": config}
        )
        if "error" in answer:
            await self.stop()
            raise Unavailable(f"stream {self._stream} cannot be read: {answer['error'].get('description')}")
        if answer["num_pending"] == 0:
            self.pending = 0

    async def stop(self) -> None:
        """Ends the subscription; `take` starts a new one."""
        subscription, self._subscription = self._subscription, None
        if subscription and self._client and self._client.is_connected:
            try:
                await subscription.unsubscribe()
                await self._client.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{self._consumer}")
            except CONNECTION_ERRORS:
                return
