"""One service's connection to NATS: connecting, streams, publishing, requests."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit
from weakref import WeakSet

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from pinghome_common.errors import Unavailable
from pinghome_common.logs import error_text, log
from pinghome_common.stream.jetstream import JetStream
from pinghome_common.stream.message import Message
from pinghome_common.trust import trusting

ACK_WAIT = 5.0
"""Seconds to wait for JetStream to acknowledge that a message is on disk."""

CONNECT_WITHIN = 10.0
"""Seconds; after a TLS handshake that failed, nats-py 2.16 waits for ever until the connection is closed."""

CONNECTION_ERRORS = (nats.errors.Error, OSError, TimeoutError)
"""What nats-py raises when the broker is unavailable."""


class Broker:
    """One service's connection to NATS, which never gives up: a closed client is replaced.

    Args:
        url: with user and password; only this user may read the inbox prefix `_INBOX_<user>`. Several, of the nodes of
            a cluster, are separated by commas.
        name: the name of the service, for NATS' logs.
        ca: the authority of the server's certificate, PEM or base64 of DER; with it, nothing is said without TLS.
        ping_interval: seconds; a link that went silent is noticed after two to three of them.

    Raises:
        ValueError: `ca` is no certificate.
    """

    def __init__(self, url: str, name: str, ca: str = "", ping_interval: int = 5) -> None:
        self.url = url
        self.name = name
        # The handshake comes first: nats-py would speak plainly to whoever, in between, says that there is no TLS.
        self._tls: dict[str, Any] = {"tls": trusting(ca), "tls_handshake_first": True} if ca else {}
        self._ping_interval = ping_interval
        user = urlsplit(url).username
        self._inbox = f"_INBOX_{user.replace('-', '_')}" if user else "_INBOX"
        self._client: Client | None = None
        self._js: JetStream | None = None
        self._subscriptions: list[tuple[str, str, Callable[[Msg], Awaitable[None]]]] = []
        self._answering: set[asyncio.Task[None]] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._last_error = ""
        self.told = WeakSet[asyncio.Event]()  # set whenever the connection is lost or there is a new one
        self.generation = 0
        """Increases with each connection; ephemeral consumers of earlier ones are gone."""

    async def __aenter__(self) -> Self:
        self._connecting = asyncio.create_task(self._maintain())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connecting:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        client, self._client = self._client, None
        if client and not client.is_closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_WITHIN):
                    await client.close()

    async def _maintain(self) -> None:
        """Connects, and connects again when the client is closed, which any `-ERR` does."""
        while True:
            if self._client is None or self._client.is_closed:
                try:
                    async with asyncio.timeout(CONNECT_WITHIN):
                        await self._connect()
                except CONNECTION_ERRORS as error:
                    log.warning("nats_unreachable", service=self.name, error=error_text(error))
                await asyncio.sleep(0.5)
            else:
                await self.change()

    async def _connect(self) -> None:
        client = await nats.connect(
            self.url.split(","),
            name=self.name,
            inbox_prefix=self._inbox.encode(),
            connect_timeout=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,
            ping_interval=self._ping_interval,
            max_outstanding_pings=2,
            allow_reconnect=True,
            pending_size=0,  # no buffering while disconnected, so that a timeout means "not sent"
            error_cb=self._error,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            **self._tls,
        )
        for subject, queue, callback in self._subscriptions:
            await client.subscribe(subject, queue=queue, cb=callback)
        self._client, self._js = client, JetStream(client, publish_async_max_pending=20_000)
        await self._reconnected()

    async def _disconnected(self) -> None:
        """Fails pending publications and requests at once, because clients wait for them and no answer will come.

        nats-py would count the publications as pending forever, and would finally publish nothing more.
        """
        if self._client and not self._client.is_closed:
            log.warning("nats_disconnected", service=self.name, error=str(self._client.last_error or ""))
        published = self._js._publish_async_futures if self._js else {}  # noqa: SLF001  # nats-py has no public way
        requested = self._client._resp_map if self._client else {}  # noqa: SLF001
        for future in (*published.values(), *requested.values()):
            if not future.done():
                future.set_exception(nats.errors.ConnectionClosedError())
                future.exception()  # retrieved, because maybe nobody waits
        self._announce()

    async def _reconnected(self) -> None:
        self._last_error = ""
        self.generation += 1
        self._announce()

    def _announce(self) -> None:
        for event in self.told:
            event.set()

    async def change(self, most: float = 5.0) -> None:
        """Waits until the connection is lost or there is a new one, but at most some seconds."""
        self.told.add(changed := asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                await changed.wait()

    async def _error(self, error: Exception) -> None:
        if (message := str(error)[:200]) != self._last_error:  # an outage is logged once, not four times a second
            self._last_error = message
            log.warning("nats_error", service=self.name, error=message)

    @property
    def connected(self) -> bool:
        """True if connected."""
        return self._client is not None and self._client.is_connected

    async def until_connected(self, wait: float) -> None:
        """Waits for the connection.

        Raises:
            Unavailable: there is none in `wait` seconds.
        """
        try:
            async with asyncio.timeout(wait):
                while not self.connected:
                    await self.change(wait)
        except TimeoutError:
            raise Unavailable("The message broker is not reachable.") from None

    @property
    def client(self) -> Client:
        """The live client.

        Raises:
            Unavailable: the broker is unavailable.
        """
        if self._client is None or not self._client.is_connected:
            raise Unavailable("The message broker is not reachable right now; please try again in a moment.")
        return self._client

    async def request(self, subject: str, payload: bytes = b"", wait: float = 2.0) -> bytes:
        """Sends a request and returns the reply.

        Raises:
            Unavailable: no answer in `wait` seconds.
        """
        try:
            return (await self.client.request(subject, payload, timeout=wait)).data
        except CONNECTION_ERRORS as error:
            raise Unavailable("The message broker did not answer in time; please try again in a moment.") from error

    async def api(self, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A JetStream API request; its answer may contain `error`."""
        answer: dict[str, Any] = json.loads(
            await self.request(f"$JS.API.{subject}", json.dumps(body).encode() if body else b"", ACK_WAIT)
        )
        return answer

    async def publish(self, messages: Iterable[tuple[str, bytes, dict[str, str] | None]]) -> list[int]:
        """Publishes to a stream, pipelined, and returns when every message is acknowledged.

        Each message is subject, payload and headers; the broker drops duplicates by `Nats-Msg-Id`.

        Returns:
            The sequence of each message.

        Raises:
            Unavailable: one was rejected, or not all were acknowledged in `ACK_WAIT` seconds; they may be sent again
                with the same ids.
        """
        _ = self.client
        assert self._js is not None  # noqa: S101  # set with the client
        try:
            async with asyncio.timeout(ACK_WAIT):
                waiting = [
                    await self._js.publish_async(subject, payload, headers=headers)
                    for subject, payload, headers in messages
                ]
                return [acknowledged.seq for acknowledged in await asyncio.gather(*waiting)]
        except CONNECTION_ERRORS as error:
            raise Unavailable("The message broker did not confirm in time; please try again in a moment.") from error

    async def publish_core(self, subject: str, payload: bytes) -> None:
        """Publishes to current subscribers without storing; does nothing if the broker is unavailable."""
        try:
            await self.client.publish(subject, payload)
        except (Unavailable, *CONNECTION_ERRORS):
            return

    async def subscribe(self, subject: str, callback: Callable[[Msg], Awaitable[None]], queue: str = "") -> None:
        """Subscribes to a core subject across reconnections; each message goes to one member of a `queue`.

        What anybody publishes after this has returned arrives, if the broker is available.
        """
        self._subscriptions.append((subject, queue, callback))
        if self._client is not None and self._client.is_connected:
            await self._client.subscribe(subject, queue=queue, cb=callback)
            with suppress(*CONNECTION_ERRORS):  # then it subscribes again when it reconnects
                await self._client._flush_pending(force_flush=True)  # noqa: SLF001  # flush's ping overtakes what waits
                await self._client.flush()

    async def serve(self, subject: str, queue: str, answer: Callable[[bytes], Awaitable[bytes]]) -> None:
        """Answers requests, each in a task of its own; shared among the processes of a `queue`."""

        async def respond(msg: Msg) -> None:
            try:
                await msg.respond(await answer(msg.data))
            except CONNECTION_ERRORS:
                return  # the requester has gone
            except Exception:
                log.exception("request_not_answered", subject=subject)

        async def take(msg: Msg) -> None:
            task = asyncio.create_task(respond(msg))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

        await self.subscribe(subject, take, queue)

    async def last(self, stream: str, subject: str) -> Message | None:
        """The newest message of a subject, or None.

        Raises:
            Unavailable: the broker is unavailable.
        """
        try:
            message = await self.client.request(f"$JS.API.DIRECT.GET.{stream}.{subject}", b"", timeout=2)
        except CONNECTION_ERRORS as error:
            raise Unavailable("The message broker did not answer in time; please try again in a moment.") from error
        headers = message.headers or {}
        if "Nats-Sequence" not in headers:
            return None
        return Message(int(headers["Nats-Sequence"]), subject, message.data)

    async def info(self, stream: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """JetStream's information on a stream: its `state`, when it was `created`, and what `options` add.

        Raises:
            Unavailable: the broker is unavailable, or the stream does not exist yet.
        """
        info = await self.api(f"STREAM.INFO.{stream}", options)
        if "error" in info:
            raise Unavailable("The platform is still starting; please try again in a moment.")
        return info

    async def head(self, stream: str) -> int:
        """The sequence of the newest message of a stream; raises Unavailable like `info`."""
        return int((await self.info(stream))["state"]["last_seq"])

    async def subjects(self, stream: str, pattern: str) -> set[str]:
        """The subjects of a stream that match a pattern and have a message.

        Raises:
            Unavailable: the broker is unavailable, or the stream does not exist yet.
        """
        found: set[str] = set()
        while True:
            info = await self.info(stream, {"subjects_filter": pattern, "offset": len(found)})
            page = info["state"].get("subjects") or {}
            found.update(page)
            if not page or len(found) >= info.get("total", 0):
                return found
