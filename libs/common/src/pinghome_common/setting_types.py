"""Types of settings."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

Network = IPv4Network | IPv6Network


def _anchor(value: str) -> str:
    parts = urlsplit(f"//{value}")
    if not parts.hostname or not parts.port:
        raise ValueError("must be host:port, with an IPv6 address in brackets")
    return value


Anchor = Annotated[str, AfterValidator(_anchor)]


def _location(value: str) -> str:
    place, _, region = value.partition("=")
    if not place.strip() or not region.strip():
        raise ValueError("must be location=region, such as US West=us-west-1")
    return value


Location = Annotated[str, AfterValidator(_location)]
