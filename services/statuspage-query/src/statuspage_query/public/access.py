"""Who may see a page."""

from enum import Enum, auto
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from pinghome_common.events.statuspage import StatusPage
from pinghome_common.page_pass import valid


class Access(Enum):
    """What somebody gets to see of a page."""

    open = auto()
    locked = auto()
    """The form for the password."""
    refused = auto()


def access(page: StatusPage, client: str, passed: str, key: bytes, now: float) -> Access:
    """What somebody gets to see.

    Args:
        page: the page.
        client: the address of who asks.
        passed: what the password was exchanged for: the cookie's value, or nothing.
        key: passes are signed with.
        now: in UNIX seconds.
    """
    if page.type != "private" or _listed(client, page.ip_addresses):
        return Access.open
    if not page.password_version:
        return Access.refused
    return Access.open if valid(passed, key, page.id, page.password_version, now) else Access.locked


def _listed(client: str, networks: list[str]) -> bool:
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return False
    if mapped := getattr(address, "ipv4_mapped", None):
        address = mapped
    return any(address in _network(each) for each in networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
