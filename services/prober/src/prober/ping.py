"""ICMP echo over one socket per address family for the process; a reply counts only for its own request.

aioping, icmplib and others tell replies apart by a 16-bit id, so one host's reply can make another look alive
(reliability.md, fact 12). Here source address, id, sequence and a random nonce of 16 bytes must all be right.
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
AGAIN = 1.0
"""Seconds after which another echo is sent: one that was lost on the way says nothing."""

_TIMESTAMPS = 35  # SO_TIMESTAMPNS of Linux, which Python does not name: when the kernel received a packet
_SO_RCVBUFFORCE, _ICMP_FILTER, _ICMP6_FILTER = 33, 1, 1
_BUFFER = 4 << 20
_ECHO = struct.Struct("!BBHHH")  # type, code, checksum, id, sequence
_REFUSED = (
    "this prober may not send ICMP: allow its group in net.ipv4.ping_group_range, or give it CAP_NET_RAW "
    "(docker: sysctls net.ipv4.ping_group_range '0 2147483647', or cap_add NET_RAW)"
)


@dataclass(slots=True, kw_only=True)
class Echo:
    """One echo request on its way; `sent` is in seconds of `time.perf_counter()`."""

    address: Address
    sequence: int
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(NONCE))
    sent: float = 0.0
    answered: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


async def ping(address: Address) -> float:
    """Seconds to `address` and back, by the kernel's clock; waits until there is a reply.

    Raises:
        PermissionError: this system lets us send no ICMP; the text says what to do.
        OSError: there is no way there.
    """
    key = asyncio.get_running_loop(), address.version
    line = _lines.get(key) or Line(address.version)
    _lines[key] = line
    line.users += 1
    try:
        return await line.echo(address)
    finally:
        line.users -= 1
        if not line.users:
            _lines.pop(key).close()


class Line:
    """One socket, while anybody needs it, and the echoes in flight on it."""

    def __init__(self, version: int) -> None:
        self.users = 0
        self._v6 = version == 6
        self._flying: dict[bytes, Echo] = {}
        self._sequences = count(1)
        self._socket, self._raw = _open(v6=self._v6)
        self._id = secrets.randbits(16) if self._raw else self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Closes the socket."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def echo(self, address: Address) -> float:
        """Sends echoes until one is answered; returns its seconds."""
        sent: list[Echo] = []
        try:
            while True:
                echo = Echo(address=address, sequence=next(self._sequences) & 0xFFFF)
                self._flying[echo.nonce] = echo
                sent.append(echo)
                await self._send(echo)
                done, _ = await asyncio.wait(
                    [each.answered for each in sent], timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    return done.pop().result()
        finally:
            for each in sent:
                del self._flying[each.nonce]

    async def _send(self, echo: Echo) -> None:
        kind = 128 if self._v6 else 8
        head = _ECHO.pack(kind, 0, 0, self._id, echo.sequence)
        if not self._v6:  # of ICMPv6 the kernel makes the checksum
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
        for _ in range(1000):  # then let others have a turn
            try:
                packet, extra, _, source = self._socket.recvmsg(512, 128)
            except BlockingIOError:
                return
            except OSError:  # what ICMP said of an earlier echo; silence will tell as much
                continue
            now, stamp = time.perf_counter(), _stamp(extra)
            late = max(time.time() - stamp, 0.0) if stamp else 0.0  # between the kernel and us
            self._heard(packet, str(source[0]), now - late)

    def _heard(self, packet: bytes, source: str, at: float) -> None:
        """Takes a packet for the reply to the echo that it answers in every part; `at` is of `perf_counter`."""
        if self._raw and not self._v6:
            packet = packet[(packet[0] & 15) * 4 :]  # behind the IP header
        if len(packet) < _ECHO.size + NONCE:
            return
        kind, code, _, id_, sequence = _ECHO.unpack_from(packet)
        echo = self._flying.get(packet[_ECHO.size :])
        if (
            echo is not None
            and (kind, code, id_, sequence) == (129 if self._v6 else 0, 0, self._id, echo.sequence)
            and ip_address(source) == echo.address
            and not echo.answered.done()
        ):
            echo.answered.set_result(max(at - echo.sent, 0.0))


_lines: dict[tuple[asyncio.AbstractEventLoop, int], Line] = {}


def _open(*, v6: bool) -> tuple[socket.socket, bool]:
    """An ICMP socket without privileges where the system allows it, else a raw one; True when it is raw."""
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            made = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except PermissionError:
            continue
        made.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        try:
            made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)  # as much of it as the system allows
        if raw := kind == socket.SOCK_RAW:
            _only_replies(made, v6=v6)
        else:
            made.bind(("::" if v6 else "0.0.0.0", 0))  # noqa: S104  # this takes the id, it listens to nobody
        return made, raw
    raise PermissionError(errno.EPERM, _REFUSED)


def _only_replies(raw: socket.socket, *, v6: bool) -> None:
    """Tells the kernel to keep all but echo replies from a raw socket, which would else hear everybody's ICMP."""
    if v6:
        passed = bytearray(b"\xff" * 32)
        struct.pack_into("=I", passed, 129 >> 5 << 2, 0xFFFFFFFF & ~(1 << (129 & 31)))
        raw.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(passed))
    else:
        raw.setsockopt(socket.IPPROTO_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFE))


def _stamp(extra: list[tuple[int, int, bytes]]) -> float:
    """When the kernel received a packet, in UNIX seconds; 0 when it did not say."""
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
