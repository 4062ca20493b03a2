"""Whose certificates are trusted."""

import ssl
from base64 import b64decode
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """The context of all that trusts the system's authorities; one for the process, for each takes a megabyte."""
    return ssl.create_default_context()


def trusting(ca: str) -> ssl.SSLContext:
    """A context that trusts one authority, PEM or base64 of DER, and no other.

    Raises:
        ValueError: it is no certificate.
    """
    try:
        return ssl.create_default_context(cadata=ca if "-----BEGIN" in ca else b64decode(ca, validate=True))
    except (ValueError, ssl.SSLError) as error:
        raise ValueError(f"PINGHOME_NATS_CA is no certificate: {error}") from None
