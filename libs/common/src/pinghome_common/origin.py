"""Whether secrets for one URL may be sent to another."""

from pinghome_common.hosts import parse_url

PORTS = {"http": 80, "https": 443}


def same_place(old: str, new: str) -> bool:
    """True if two URLs have the same host and port, or differ only by an upgrade to https; false if one is not valid.

    Texts without a scheme are hosts and must be equal.
    """
    if old == new:
        return True
    try:
        before, after = parse_url(old), parse_url(new)
        ports = before.port or PORTS[before.scheme], after.port or PORTS[after.scheme]
    except (ValueError, KeyError):
        return False
    if before.host != after.host:
        return False
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return (before.scheme, after.scheme) == ("http", "https") and (ports[0] == ports[1] or ports == (80, 443))
