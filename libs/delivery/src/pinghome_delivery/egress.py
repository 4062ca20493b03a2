"""The one way out over HTTP: each host is resolved, judged by the guard, and the connection goes to that address."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from pinghome_common.guard import Address, AddressForbidden, Guard
from pinghome_common.trust import trusted

HEAD = 64 << 10
"""Bytes of an answer's head, interim answers (`100 Continue`) included."""
PARTS = 16_384
"""Reads of one answer, and parts of its body: each costs time, however small it is."""
LOOKUP = 5.0
"""Seconds for the look-up of a name."""
TRIED = 4
"""Addresses of a host that are tried, each for its share of the time."""


def client(
    guard: Guard, *, most: int, timeout: httpx.Timeout, verify: ssl.SSLContext | None = None, **how: Any
) -> httpx.AsyncClient:
    """A client whose requests share nothing: no cookies, no connection that is used twice, no proxy.

    Requests raise AddressForbidden for an address that may not be called, and socket.gaierror for an unknown host.

    Args:
        guard: judges every address.
        most: bytes of a body that are read; more is an error.
        timeout: of each step of a request.
        verify: what is trusted; default: the certificates of the system.
        how: more of httpx's settings.
    """
    return httpx.AsyncClient(
        transport=_Transport(guard, most, verify or trusted()),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=timeout,
        trust_env=False,
        **how,
    )


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, guard: Guard, most: int, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._most = most
        self._pool = httpcore.AsyncConnectionPool(  # httpx offers no other way to name a network backend
            ssl_context=verify, max_connections=None, max_keepalive_connections=0, network_backend=_Backend(guard)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        wire = response.extensions.get("network_stream")
        if isinstance(wire, _Wire):  # the head is read
            wire.left = self._most
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  # httpx's own
        response.stream = _Body(response.stream)
        return response


class _Backend(httpcore.AsyncNetworkBackend):
    """TCP to the judged address; httpcore goes on with the URL's host for SNI, certificate, Host and pool."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._network = guard, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        until = None if timeout is None else time.monotonic() + timeout
        addresses = (await self._resolve(host))[:TRIED]
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = None if until is None else max(until - time.monotonic(), 0.001) / left
            try:
                return _Wire(await self._network.connect_tcp(str(address), port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore.ConnectError("the host has no address")

    async def _resolve(self, host: str) -> list[Address]:
        try:
            async with asyncio.timeout(LOOKUP):
                return await self._guard.resolve(host)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "the name's servers do not answer") from None


class _Wire(httpcore.AsyncNetworkStream):
    """A connection for one request that counts what it reads; `left` are the bytes that it may still read."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream, self.left, self._reads = stream, HEAD, 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self._reads += 1
        if self.left <= 0 or self._reads > PARTS:
            raise httpcore.RemoteProtocolError("the answer is too large")
        data = await self._stream.read(min(max_bytes, self.left), timeout)
        self.left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _Wire(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = 0
        async for part in self._stream:
            if (parts := parts + 1) > PARTS:
                raise httpx.RemoteProtocolError("the answer has too many parts")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


Resolve = Callable[[str], str]
_resolve: ContextVar[Resolve | None] = ContextVar("resolve", default=None)
"""In threads that were begun by `threads_judged`: a host's judged address."""


@contextmanager
def threads_judged(guard: Guard, seconds: float) -> Iterator[None]:
    """Libraries that call through urllib3 in a thread, with this context, connect to judged addresses, too.

    Hosts that are forbidden, unknown or not resolved within some seconds raise OSError there.
    """
    _install()
    loop = asyncio.get_running_loop()

    def resolve(host: str) -> str:
        found = asyncio.run_coroutine_threadsafe(guard.resolve(host), loop)
        try:
            return str(found.result(seconds)[0])
        except AddressForbidden as error:
            raise OSError(str(error)) from None
        finally:
            found.cancel()

    token = _resolve.set(resolve)
    try:
        yield
    finally:
        _resolve.reset(token)


@cache
def _install() -> None:
    from urllib3.util import connection  # noqa: PLC0415  # loaded with Apprise only

    plain = connection.create_connection

    def create_connection(address: tuple[str, int], *args: Any, **how: Any) -> socket.socket:
        resolve = _resolve.get()
        host, port = address
        return plain((resolve(host) if resolve else host, port), *args, **how)

    connection.create_connection = create_connection
