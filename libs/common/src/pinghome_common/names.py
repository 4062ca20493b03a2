"""Resolves names without threads: /etc/hosts, then the servers of /etc/resolv.conf, by c-ares."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

import aiodns
import pycares

TIMEOUT, TRIES = 2.0, 2
"""Initial seconds before a query is repeated, and tries per server: a silent name server is given up soon."""

# Answers of the name's own servers; every other code is a problem of the resolver.
_NO_SUCH_NAME = {
    pycares.errno.ARES_ENOTFOUND,
    pycares.errno.ARES_ENODATA,
    pycares.errno.ARES_ENONAME,
    pycares.errno.ARES_EBADNAME,
}


class Names:
    """Looks names up concurrently; requests for a name that is being looked up share its answer.

    Answers are cached for their time to live, an hour at most. `servers` default to those of /etc/resolv.conf.
    """

    def __init__(self, servers: Sequence[str] = (), port: int | None = None) -> None:
        self._servers, self._port = servers, port
        self._resolver: aiodns.DNSResolver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asking: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """All addresses of a host, both families; cancelling ends only the waiting.

        Raises:
            socket.gaierror: there is no such name (EAI_NONAME), or the resolver failed (EAI_AGAIN).
        """
        loop = asyncio.get_running_loop()
        if host.rstrip(".").lower() == "localhost":  # for which c-ares answers ::1, too, regardless of /etc/hosts
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return [str(each[4][0]) for each in found]
        if self._resolver is None or self._loop is not loop:
            self._loop, self._asking = loop, {}
            self._resolver = aiodns.DNSResolver(
                list(self._servers),
                cast("Any", _Ending(loop)),
                timeout=TIMEOUT,
                tries=TRIES,
                udp_port=self._port,
                tcp_port=self._port,
            )
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = loop.create_task(_ask(self._resolver, host))
            asking.add_done_callback(partial(self._asked, host))
        return await asyncio.shield(asking)

    def _asked(self, host: str, asking: asyncio.Task[list[str]]) -> None:
        self._asking.pop(host, None)
        if not asking.cancelled():
            asking.exception()  # retrieved here, as whoever asked may have gone


class _Ending:
    """A loop that may end during a look-up: what c-ares' thread answers after that is dropped silently."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object) -> None:
        """Like the loop's own, but silent when the loop is closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def _ask(resolver: aiodns.DNSResolver, host: str) -> list[str]:
    try:
        found = await resolver.getaddrinfo(host, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
    except aiodns.error.DNSError as error:
        code = socket.EAI_NONAME if error.args[0] in _NO_SUCH_NAME else socket.EAI_AGAIN
        raise socket.gaierror(code, str(error.args[1])) from error
    return [node.addr[0].decode() for node in found.nodes]
