"""ICMP echo over one socket per address family and process; a reply counts only for its own request.

aioping, icmplib and others match replies by a 16-bit id, so that one host's reply can make another look alive
(reliability.md, fact 12). Here source address, id, sequence and a random nonce of 16 bytes must all match.
"""

import asyncio
import errno
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count

from pinghome_common.guard import Address

NONCE = 16
"""Bytes."""

RESEND_AFTER = 1.0
"""Seconds after which another echo is sent, in case a packet was lost."""

_TIMESTAMPS = 35  # SO_TIMESTAMPNS of Linux, which Python does not define: when the kernel received a packet
_SO_RCVBUFFORCE, _ICMP_FILTER, _ICMP6_FILTER = 33, 1, 1
_BUFFER = 4 << 20
_ECHO = struct.Struct("!BBHHH")  # type, code, checksum, id, sequence
_NO_PERMISSION = (
    "this prober may not send ICMP: allow its group in net.ipv4.ping_group_range, or give it CAP_NET_RAW "
    "(docker: sysctls net.ipv4.ping_group_range '0 2147483647', or cap_add NET_RAW)"
)


@dataclass(slots=True, kw_only=True)
class Echo:
    """One echo request in flight; `sent` is in seconds of `time.perf_counter()`."""

    address: Address
    sequence: int
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(NONCE))
    sent: float = 0.0
    answered: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


async def ping(address: Address) -> float:
    """The round-trip time to `address` in seconds, by the kernel's clock; waits until there is a reply.

    Raises:
        PermissionError: this system does not allow ICMP; the text says what to do.
        OSError: there is no route.
    """
    key = asyncio.get_running_loop(), address.version
    shared = _sockets.get(key) or PingSocket(address.version)
    _sockets[key] = shared
    shared.users += 1
    try:
        return await shared.echo(address)
    finally:
        shared.users -= 1
        if not shared.users:
            _sockets.pop(key).close()


class PingSocket:
    """A socket shared by concurrent pings, and their echoes in flight."""

    def __init__(self, version: int) -> None:
        self.users = 0
        self._v6 = version == 6
        self._in_flight: dict[bytes, Echo] = {}
        self._sequences = count(1)
        self._socket, self._raw = _open(v6=self._v6)
        self._id = secrets.randbits(16) if self._raw else self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Closes the socket."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def echo(self, address: Address) -> float:
        """Sends echoes until one is answered; returns its round-trip time in seconds."""
        sent: list[Echo] = []
        try:
            while True:
                echo = Echo(address=address, sequence=next(self._sequences) & 0xFFFF)
                self._in_flight[echo.nonce] = echo
                sent.append(echo)
                await self._send(echo)
                done, _ = await asyncio.wait(
                    [each.answered for each in sent], timeout=RESEND_AFTER, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    return done.pop().result()
        finally:
            for each in sent:
                del self._in_flight[each.nonce]

    async def _send(self, echo: Echo) -> None:
        kind = 128 if self._v6 else 8
        head = _ECHO.pack(kind, 0, 0, self._id, echo.sequence)
        if not self._v6:  # the kernel computes the checksum of ICMPv6
            head = _ECHO.pack(kind, 0, _checksum(head + echo.nonce), self._id, echo.sequence)
        while True:
            echo.sent = time.perf_counter()
            try:
                self._transmit(head + echo.nonce, str(echo.address))
            except BlockingIOError:
                await asyncio.sleep(0.01)
            else:
                return

    def _transmit(self, packet: bytes, address: str) -> None:
        self._socket.sendto(packet, (address, 0))

    def _readable(self) -> None:
        for _ in range(1000):  # then other tasks get a turn
            try:
                packet, extra, _, source = self._socket.recvmsg(512, 128)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error about an earlier echo; a missing reply says the same
                continue
            stamp = _stamp(extra)
            delay = max(time.time() - stamp, 0.0) if stamp else 0.0  # since the kernel received it
            # The other clock is read after it: an interruption between the two must not end an echo before it began.
            self._receive(packet, str(source[0]), time.perf_counter() - delay)

    def _receive(self, packet: bytes, source: str, at: float) -> None:
        """Completes the echo that a packet answers, if every part matches; `at` is of `perf_counter`."""
        if self._raw and not self._v6:
            packet = packet[(packet[0] & 15) * 4 :]  # after the IP header
        if len(packet) < _ECHO.size + NONCE:
            return
        kind, code, _, id_, sequence = _ECHO.unpack_from(packet)
        echo = self._in_flight.get(packet[_ECHO.size :])
        if (
            echo is not None
            and (kind, code, id_, sequence) == (129 if self._v6 else 0, 0, self._id, echo.sequence)
            and ip_address(source) == echo.address
            and not echo.answered.done()
        ):
            echo.answered.set_result(max(at - echo.sent, 0.0))


_sockets: dict[tuple[asyncio.AbstractEventLoop, int], PingSocket] = {}


def _open(*, v6: bool) -> tuple[socket.socket, bool]:
    """An unprivileged ICMP socket if the system allows it, else a raw one; True if it is raw."""
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            opened = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except PermissionError:
            continue
        opened.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)  # capped by the system
        if raw := kind == socket.SOCK_RAW:
            _only_replies(opened, v6=v6)
        else:
            opened.bind(("::" if v6 else "0.0.0.0", 0))  # noqa: S104  # binding assigns the id
        return opened, raw
    raise PermissionError(errno.EPERM, _NO_PERMISSION)


def _only_replies(raw: socket.socket, *, v6: bool) -> None:
    """Filters all but echo replies from a raw socket, which would otherwise receive all ICMP of the host."""
    if v6:
        blocked = bytearray(b"\xff" * 32)
        struct.pack_into("=I", blocked, 129 >> 5 << 2, 0xFFFFFFFF & ~(1 << (129 & 31)))
        raw.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(blocked))
    else:
        raw.setsockopt(socket.IPPROTO_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFE))


def _stamp(extra: list[tuple[int, int, bytes]]) -> float:
    """When the kernel received a packet, in UNIX seconds; 0 if unknown."""
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMPS):
            seconds, nanoseconds = struct.unpack("@ll", data[:16])
            return float(seconds + nanoseconds / 1e9)
    return 0.0


def _checksum(packet: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
