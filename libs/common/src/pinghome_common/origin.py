"""Whether secrets for one URL may be sent to another."""

from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


def same_place(old: str, new: str) -> bool:
    """True when two URLs lead to the same host and port, or from http to https there; False if one is not valid.

    Texts without a scheme are hosts and must be equal.
    """
    if old == new:
        return True
    try:
        before, after = urlsplit(old), urlsplit(new)
        ports = before.port or PORTS[before.scheme], after.port or PORTS[after.scheme]
    except (ValueError, KeyError):
        return False
    if not before.hostname or before.hostname != after.hostname or "\\" in old + new:
        return False
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return (before.scheme, after.scheme) == ("http", "https") and (ports[0] == ports[1] or ports == (80, 443))
