"""Whose certificates are trusted."""

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """The context of all that trusts the system's authorities; one for the process, for each takes a megabyte."""
    return ssl.create_default_context()
