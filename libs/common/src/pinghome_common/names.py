"""Resolves names without threads by c-ares: /etc/hosts, then the servers of /etc/resolv.conf."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

import aiodns
import pycares

TIMEOUT, TRIES = 2.0, 2
"""Seconds before a query is first repeated, and tries per server."""

# Answers of the name's own servers; other codes are failures of the resolver.
_NO_SUCH_NAME = {
    pycares.errno.ARES_ENOTFOUND,
    pycares.errno.ARES_ENODATA,
    pycares.errno.ARES_ENONAME,
    pycares.errno.ARES_EBADNAME,
}


class Names:
    """Looks up names; concurrent lookups of a name share one query.

    Answers are cached for their time to live, at most an hour. `servers` default to those of /etc/resolv.conf.
    """

    def __init__(self, servers: Sequence[str] = (), port: int | None = None) -> None:
        self._servers, self._port = servers, port
        self._resolver: aiodns.DNSResolver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lookups: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """All addresses of a host, of both families; cancelling does not cancel a shared query.

        Raises:
            socket.gaierror: there is no such name (EAI_NONAME), or the resolver failed (EAI_AGAIN).
        """
        loop = asyncio.get_running_loop()
        if host.rstrip(".").lower() == "localhost":  # c-ares would always include ::1, regardless of /etc/hosts
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return [str(each[4][0]) for each in found]
        if self._resolver is None or self._loop is not loop:
            self._loop, self._lookups = loop, {}
            self._resolver = aiodns.DNSResolver(
                list(self._servers),
                cast("Any", _ClosableLoop(loop)),
                timeout=TIMEOUT,
                tries=TRIES,
                udp_port=self._port,
                tcp_port=self._port,
            )
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = loop.create_task(_query(self._resolver, host))
            lookup.add_done_callback(partial(self._done, host))
        return await asyncio.shield(lookup)

    def _done(self, host: str, lookup: asyncio.Task[list[str]]) -> None:
        self._lookups.pop(host, None)
        if not lookup.cancelled():
            lookup.exception()  # retrieved, because all callers may be cancelled


class _ClosableLoop:
    """A loop that may be closed during a lookup; later answers of c-ares' thread are dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object) -> None:
        """Like the loop's own, but does nothing if the loop is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def _query(resolver: aiodns.DNSResolver, host: str) -> list[str]:
    try:
        found = await resolver.getaddrinfo(host, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
    except aiodns.error.DNSError as error:
        code = socket.EAI_NONAME if error.args[0] in _NO_SUCH_NAME else socket.EAI_AGAIN
        raise socket.gaierror(code, str(error.args[1])) from error
    return [node.addr[0].decode() for node in found.nodes]
