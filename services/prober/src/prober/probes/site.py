"""Registered domains, which tell whether two hosts belong to the same owner."""

from functools import cache, lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList


@cache
def suffixes() -> PublicSuffixList:
    """The public suffix list; loading it takes 50 ms."""
    return PublicSuffixList()  # with private suffixes: subdomains of github.io have different owners


@lru_cache(1 << 12)
def registered(host: str) -> str:
    """The registered domain, such as `example.co.uk` for `www.example.co.uk`; empty for an address."""
    host = host.rstrip(".")
    return "" if is_address(host) else suffixes().privatesuffix(host) or ""


def is_address(host: str) -> bool:
    """True for an IP address in any notation; no registered name ends in a number."""
    if ":" in host or host.rpartition(".")[2].isdigit():
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
