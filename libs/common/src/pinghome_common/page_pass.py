"""Passes to private pages: what statuspage-cmd gives for the password, and statuspage-query lets in with."""

import hmac
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from uuid import UUID

from pinghome_common.secret import derive
from pinghome_common.settings import Settings

COOKIE = "pinghome_page"
LIFETIME = 30 * 86_400
"""Seconds for which a pass is good, unless the password changes."""


def page_key(settings: Settings) -> bytes:
    """The key that both status services sign and check passes with."""
    return settings.page_secret.encode() or derive(settings.secret_key, "page").hex().encode()


def new_pass(key: bytes, page: UUID, password_version: int, now: float) -> str:
    """A pass to a page; it ends with the password that it was given for."""
    until = round(now) + LIFETIME
    return f"{until}.{_signature(key, page, password_version, until)}"


def valid(text: str, key: bytes, page: UUID, password_version: int, now: float) -> bool:
    """Whether a text is a pass to a page."""
    until, _, signature = text.partition(".")
    with suppress(ValueError):
        signed = _signature(key, page, password_version, int(until))
        return now < int(until) and hmac.compare_digest(signature.encode(), signed.encode())
    return False


def _signature(key: bytes, page: UUID, password_version: int, until: int) -> str:
    signed = hmac.digest(key, f"{page}.{password_version}.{until}".encode(), sha256)
    return urlsafe_b64encode(signed).rstrip(b"=").decode()
