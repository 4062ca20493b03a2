"""The SSRF guard: opens all outbound sockets, only to addresses that it has just checked."""

import asyncio
import errno
import math
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from ssl import SSLContext
from typing import TypeVar

from pinghome_common.hosts import to_ascii
from pinghome_common.names import Names

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Lookup = Callable[[str], Iterable[str]]
P = TypeVar("P", bound=asyncio.BaseProtocol)
D = TypeVar("D", bound=asyncio.DatagramProtocol)

# Errors about this machine, not about the target.
LOCAL_ERRNOS = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),
        *(errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT),
        *(errno.EACCES, errno.EPERM),
    }
)


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in text.split())


# Never allowed: these addresses give access to the machine's credentials.
_METADATA = _networks(
    "169.254.0.0/16 "  # AWS, Azure, Google, ECS, EKS, Scaleway, Tencent: one link-local range
    "100.100.100.200/32 192.0.0.192/32 168.63.129.16/32 "  # Alibaba, Oracle, Azure's WireServer (a public address)
    "fd00:ec2::/32 fd20:ce::254/128 fd00:42::42/128 fd00:c1::a9fe:a9fe/128 fd00:a9fe:a9fe::/48 "  # AWS to Linode
    "fe80::a9fe:a9fe/128 "  # OpenStack
    "64:ff9b:1::/48"  # the local prefix of a translator (RFC 8215), with unknown IPv4 addresses
)
# Special-purpose ranges that ipaddress calls global, in 3.11 or in a later Python (reliability.md, SSRF guard).
_NOT_PUBLIC = _networks("192.0.0.0/24 192.88.99.0/24 2001::/23 3fff::/20")
_UNICAST = IPv6Network("2000::/3")  # all that IANA has assigned; excludes fec0::/10, 5f00::/16 and future ranges
_MAPPED, _NAT64, _COMPATIBLE = IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"), IPv6Network("::/96")

# For a custom `lookup`, which blocks.
_THREADS = ThreadPoolExecutor(64, thread_name_prefix="lookup")


class AddressForbidden(Exception):
    """The address, or what was to be sent to it, is forbidden by policy; the text is a sentence for the user."""


class Guard:
    """Checks addresses and connects only to those that it has checked (reliability.md §5, SSRF guard specification).

    `allow` are the private networks of `PINGHOME_PROBE_ALLOW_CIDRS`; metadata addresses stay refused. `lookup` turns
    a name into addresses in place of the system's resolver; it blocks and runs in a thread.
    """

    def __init__(self, allow: Sequence[Network] = (), lookup: Lookup | None = None, names: Names | None = None) -> None:
        self._allow = tuple(allow)
        self._lookup, self._names = lookup, names or Names()
        self._checked = lru_cache(1 << 15)(self._check)
        self._literals = lru_cache(1 << 15)(self._literal)

    def check(self, address: Address | str) -> Address:
        """The address itself if connecting to it is allowed.

        Raises:
            AddressForbidden: it is not; an IPv4 address inside an IPv6 one counts.
            ValueError: the text is not an address.
        """
        return self._checked(str(address))

    def check_literal(self, host: str) -> Address | None:
        """The address that `host` is in any notation getaddrinfo reads (`0x7f.1`, `2130706433`); None for a name.

        Raises:
            AddressForbidden: it is a forbidden address.
        """
        return self._literals(host) if len(host) < 256 else None

    async def resolve(self, host: str) -> list[Address]:
        """All addresses of `host`, each checked: one forbidden address refuses all. There is at least one.

        Raises:
            AddressForbidden: one of them is forbidden.
            socket.gaierror: there is no such name, or the resolver failed.
        """
        literal = self.check_literal(host)
        if literal is not None:
            return [literal]
        try:
            host = to_ascii(host)
        except ValueError as error:
            raise socket.gaierror(socket.EAI_NONAME, "not a valid host name") from error
        if self._lookup:
            found = await asyncio.get_running_loop().run_in_executor(_THREADS, self._lookup, host)
        else:
            found = await self._names.addresses(host)
        return [self.check(address) for address in found]

    async def connect(
        self,
        addresses: Sequence[Address],
        port: int,
        factory: Callable[[], P],
        *,
        deadline: float = math.inf,
        ssl: SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> tuple[asyncio.Transport, P]:
        """A TCP connection, with TLS when `ssl` is given, to the first of `addresses` that answers.

        `deadline` is in seconds of `time.monotonic()`; each address gets an equal share of what is left.

        Raises:
            AddressForbidden: an address is forbidden; each is checked again.
            TimeoutError: the last address did not answer in its share.
            OSError: no address accepted the connection; preferably an error of the target.
        """
        loop = asyncio.get_running_loop()
        failures: list[OSError] = []
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            self.check(target := str(address))
            # create_connection does not resolve address literals; AI_NUMERICHOST makes sure.
            opening = loop.create_connection(
                factory,
                target,
                port,
                ssl=ssl,
                server_hostname=server_hostname,
                flags=socket.AI_NUMERICHOST,
            )
            try:
                if left == 1 and deadline == math.inf:
                    return await opening
                async with asyncio.timeout((deadline - time.monotonic()) / left):
                    return await opening
            except OSError as error:
                failures.append(error)
        raise min(failures, key=lambda error: error.errno in LOCAL_ERRNOS)

    async def datagrams(
        self, addresses: Sequence[Address], port: int, factory: Callable[[], D]
    ) -> tuple[asyncio.DatagramTransport, D]:
        """A UDP socket, connected to the first of `addresses` with a route.

        Raises:
            AddressForbidden: an address is forbidden.
            OSError: there is no route to any.
        """
        loop = asyncio.get_running_loop()
        failures: list[OSError] = []
        for address in addresses:
            self.check(target := str(address))
            try:
                return await loop.create_datagram_endpoint(
                    factory, remote_addr=(target, port), flags=socket.AI_NUMERICHOST
                )
            except OSError as error:
                failures.append(error)
        raise failures[-1]

    def _literal(self, host: str) -> Address | None:
        try:
            found = socket.getaddrinfo(to_ascii(host), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (socket.gaierror, ValueError):  # UnicodeError is one
            return None
        return self.check(str(found[0][4][0]))

    def _check(self, text: str) -> Address:
        address = ip_address(text)
        for each in _reachable(address):
            named = str(each) if each == address else f"{each} (inside {address})"
            if any(each in network for network in _METADATA):
                raise AddressForbidden(f"{named} is a cloud metadata or link-local address, which is never probed")
            if not _is_public(each) and not any(each in network for network in self._allow):
                raise AddressForbidden(
                    f"{named} is {_kind(each)}, not a public address; "
                    "an operator may allow private networks with PINGHOME_PROBE_ALLOW_CIDRS"
                )
        return address


class UnrestrictedGuard(Guard):
    """Allows all addresses; for those that the operator configures, such as a region's resolvers and anchors."""

    def _check(self, text: str) -> Address:
        return ip_address(text)


def _reachable(address: Address) -> list[Address]:
    """The addresses that a packet to `address` may reach: itself, or an embedded IPv4 address."""
    if isinstance(address, IPv4Address):
        return [address]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64:  # other notations of the IPv4 address
        return [last]
    if address in _COMPATIBLE and int(address) > 1:  # :: and ::1 carry nothing
        return [address, last]
    tunnel = (address.sixtofour,) if address.sixtofour else address.teredo or ()
    return [address, *tunnel]


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def _kind(address: Address) -> str:
    kinds = ("unspecified", "loopback", "multicast", "reserved", "private")
    return next((kind for kind in kinds if getattr(address, f"is_{kind}")), "reserved")
