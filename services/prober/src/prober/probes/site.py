"""Which hosts belong to the same owner: those of one registered domain."""

from functools import cache, lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList


@cache
def suffixes() -> PublicSuffixList:
    """The public suffix list; to read it takes 50 ms, once."""
    return PublicSuffixList()  # with the private part: two names below github.io have two owners


@lru_cache(1 << 12)
def registered(host: str) -> str:
    """The domain that somebody registered, such as `example.co.uk` for `www.example.co.uk`; empty for an address."""
    host = host.rstrip(".")
    return "" if is_address(host) else suffixes().privatesuffix(host) or ""


def is_address(host: str) -> bool:
    """True for an IP address, also where its IPv4 form is odd: no registered name ends in a number."""
    if ":" in host or host.rpartition(".")[2].isdigit():
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
