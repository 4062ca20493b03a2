"""Limits for the clients of one HTTP server: bytes, seconds and connections."""

from __future__ import annotations

import asyncio
import enum
import json
import re
import resource
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, cast

from pinghome_common.rpc_status import status_json, status_protobuf
from pinghome_common.settings import Settings

if TYPE_CHECKING:
    from pinghome_common.http1 import LimitedProtocol

URL_LIMIT = 8 << 10
HEAD_LIMIT = 32 << 10
HEADERS_LIMIT = 100
CHUNK_FRAME = 12  # bytes allowed for the size of a chunk and two line ends
PIPELINE_LIMIT = 32
BODIES_LIMIT = 128 << 20  # bytes of the bodies of all unanswered requests of a process
UNREAD_LIMIT = 64 << 20  # bytes of all answers of a process that clients have not read
CONNECTIONS_LIMIT = 10_000
OWN_FILES = 256  # descriptors reserved for the database, the broker and files
LONG_BODY_LIMIT = 64 << 20  # bytes of a ping's body; all but the first are read and dropped
BODY_RATE = 64 << 10  # bytes a second; a body that arrives at this rate has no time limit
PROTOBUF = b"application/x-protobuf"
PINGS = re.compile(rb"[^/]*/(?:ping|v1/heartbeat)/")
"""Host and path of pings at the data-gateway's own port."""
PICTURES = re.compile(rb"[^/]*/(?:(?:v1/)?statuspage|(?:console/)?statuspages)/[^/]+/(?:logo|favicon)")
"""Host and path of uploads at the own ports of statuspage-cmd, whose route reads 2 MiB at most, and of the console."""
PINGS_OF_ALL = re.compile(
    rb"[^/]*(?:/data-gateway)?/ping/|[^/]*/data-gateway/v1/heartbeat/|data-gateway\.[^/]*/v1/heartbeat/"
    rb"|[^/]*/statuspage-cmd/(?:v1/)?statuspage/[^/]+/(?:logo|favicon)"
    rb"|statuspage-cmd\.[^/]*/(?:v1/)?statuspage/[^/]+/(?:logo|favicon)"
    rb"|[^/]*/console/statuspages/[^/]+/(?:logo|favicon)|console\.[^/]*/statuspages/[^/]+/(?:logo|favicon)"
)
"""Host and path of pings and uploads at the platform's port, where other services have such paths, too."""
KEEP_ALIVE = 150.0
"""Seconds; more than proxies keep idle connections (Caddy 120, nginx 60), so they never use a closed one."""
LAST_MOMENT = 0.5
"""Seconds for which idle connections stay when the process stops: a proxy may just be sending a request on one.

In 8 restarts of data-gateway behind Caddy, under 450 POSTs a second, 20 of 19,000 failed without it, 0 of 21,600 with.
"""
LINGER = 2.0  # seconds for a rejected client to read the error
LINGER_BYTES = 256 << 10
"""Read and dropped meanwhile, so that a client that is still sending is not reset before it reads."""
SWEEPS = 30  # sweeps in one request timeout


class Turn(enum.Enum):
    """What a connection waits for."""

    ASKING = "the client has to send a request"
    ANSWERING = "the application has to answer, or the client to read the answer"
    IDLE = "everything is answered; the client may send a request"
    LEAVING = "rejected or closed; the client has to read the rest"


class ConnectionRejected(Exception):
    """The connection answers with `status` and `message`, and closes."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def error_answer(status: int, message: str, path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Content type and body of an error: our JSON, but google.rpc.Status in the request's form for OTLP.

    `message` is a sentence that says what to do.
    """
    if not path.rstrip(b"/").endswith(b"/v1/metrics"):
        return b"application/json", json.dumps({"message": message}).encode()
    if any(name == b"content-type" and value.lower().startswith(PROTOBUF) for name, value in headers):
        return PROTOBUF, status_protobuf(status, message)
    return b"application/json", status_json(status, message)


def network_of(host: str) -> str:
    """The network that counts as one client: its address, or its /64 with IPv6."""
    return str(ip_network((host.partition("%")[0], 64), strict=False)) if ":" in host else host


class Addresses:
    """Counts the connections of each address (IPv6: /64)."""

    def __init__(self, settings: Settings) -> None:
        self.limit = settings.connections_per_address
        self._counts: dict[str, int] = {}
        self._trusted = []
        for proxy in settings.trusted_proxies:
            with suppress(ValueError):
                self._trusted.append(ip_network(proxy, strict=False))

    def enter(self, client: tuple[str, int] | None) -> str:
        """Count a connection; returns the address for `leave`, empty for a trusted proxy, which is not counted."""
        if client is None or any(ip_address(client[0].partition("%")[0]) in proxy for proxy in self._trusted):
            return ""
        address = network_of(client[0])
        self._counts[address] = self._counts.get(address, 0) + 1
        return address

    def leave(self, address: str) -> None:
        """Uncount a closed connection."""
        if address:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def full(self, address: str) -> bool:
        """True if an address has more connections than allowed."""
        return self._counts.get(address, 0) > self.limit


class Unread:
    """Answers that clients have not read; if they take too much memory, the largest consumers are dropped."""

    def __init__(self) -> None:
        self._sizes: dict[LimitedProtocol, int] = {}

    def add(self, one: LimitedProtocol) -> None:
        """Add a connection with an unread answer."""
        self._sizes[one] = one.transport.get_write_buffer_size()
        while sum(self._sizes.values()) > UNREAD_LIMIT:
            held: dict[str, int] = defaultdict(int)
            for each, size in self._sizes.items():
                held[each.address] += size
            largest = max(self._sizes, key=lambda each: (held[each.address], self._sizes[each]))
            del self._sizes[largest]
            largest.loop.call_soon(largest.transport.abort)

    def remove(self, one: LimitedProtocol) -> None:
        """Remove a connection whose answer was read or that was closed."""
        self._sizes.pop(one, None)


class Gate:
    """The limits of one server, and the sweep that enforces the time limits.

    Time is counted in sweeps: a request needs no timer, and clients are not blamed for a pause of this process.
    """

    def __init__(self, settings: Settings, pings: re.Pattern[bytes] | None = None) -> None:
        self.body_limit = settings.body_limit
        self.pings = pings
        self.request_timeout = settings.request_timeout
        self.period = min(1.0, settings.request_timeout / SWEEPS)
        self.sweeps = {
            Turn.ASKING: round(settings.request_timeout / self.period) - 2,  # it starts before its first sweep
            Turn.ANSWERING: max(1, round(settings.answer_timeout / self.period)),
            Turn.IDLE: round(KEEP_ALIVE / self.period),
            Turn.LEAVING: round(LINGER / self.period),
        }
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.connections_limit = max(1, min(CONNECTIONS_LIMIT, files - OWN_FILES))
        self.bodies_full = False
        self.addresses = Addresses(settings)
        self.unread = Unread()
        self._waiting: list[LimitedProtocol] = []  # as of the last sweep, longest waiting last

    async def sweep(self, connections: Iterable[object]) -> None:
        """Check each connection once per period, forever."""
        while True:
            await asyncio.sleep(self.period)
            live = cast("list[LimitedProtocol]", list(connections))
            for number, connection in enumerate(live):
                connection.watch()
                if number % 500 == 499:  # 2 ms
                    await asyncio.sleep(0)
            held = sum(min(one.body, self.body_limit) for one in live if one.turn is not Turn.IDLE)
            self.bodies_full = held > BODIES_LIMIT
            crowded = len(live) > self.connections_limit // 2
            self._waiting = [one for one in live if one.turn in {Turn.ASKING, Turn.IDLE}] if crowded else []
            self._waiting.sort(key=lambda one: one.age)

    def body_limit_of(self, host: bytes, url: bytes) -> int:
        """The largest body, in bytes, at an address."""
        long = self.pings is not None and self.pings.match(host.lower() + url)
        return max(LONG_BODY_LIMIT, self.body_limit) if long else self.body_limit

    def make_room(self) -> bool:
        """Close the connection that has waited longest for its client; false if there is none."""
        while self._waiting:
            oldest = self._waiting.pop()
            if oldest.turn is oldest.whose_turn() and oldest.scope is oldest.awaited:
                oldest.transport.abort()
                return True
        return False
