"""Badges: where they are, whose they are, and what they look like (contract B.7); no I/O."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from pinghome_common.secret import derive
from pinghome_common.settings import Settings
from pinghome_common.text import clean

ALL = "*"
"""The pseudo tag that every check has."""

FORMATS = ("svg", "json", "shields")


def signature(key: str, tag: str, secret: str) -> str:
    """The first 8 characters of the URL-safe base64 of HMAC-SHA1 of a tag, by a service's badge key."""
    own = hashlib.sha1((key + secret).encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(hmac.digest(own, tag.encode(), "sha1"))[:8].decode()


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads badge keys: a service's id that only we can read, and the signatures of tags.

    Args:
        secret: 64 hex digits.
    """

    secret: str

    def key(self, service: UUID) -> str:
        """The badge key of a service; another secret makes another one."""
        return str(UUID(bytes=self._cipher().encryptor().update(service.bytes)))

    def service(self, key: str) -> UUID | None:
        """The service of a badge key; None when it is no badge key."""
        try:
            return UUID(bytes=self._cipher().decryptor().update(UUID(key).bytes))
        except ValueError:
            return None

    def _cipher(self) -> Cipher[ECB]:
        # One block that is never the same twice: an id is what a block cipher alone is right for.
        return Cipher(AES(bytes.fromhex(self.secret)), ECB())  # noqa: S305

    def sign(self, key: str, tag: str) -> str:
        """The signature of a tag."""
        return signature(key, tag, self.secret)

    def signed(self, key: str, tag: str, sign: str) -> bool:
        """True when somebody has it from us."""
        return hmac.compare_digest(self.sign(key, tag), sign)


def signer(settings: Settings) -> Signer:
    """The platform's signer.

    Raises:
        ValueError: there is no secret.
    """
    if not settings.badge_secret and not settings.secret_key:
        raise ValueError("set PINGHOME_SECRET_KEY, by which badges are signed")
    return Signer(settings.badge_secret or derive(settings.secret_key, "badge").hex())


@dataclass(frozen=True, slots=True)
class Overall:
    """How some checks are altogether: `status` is up, late or down; `total` counts new and paused ones, too."""

    status: str
    total: int
    grace: int
    down: int


def overall(statuses: Iterable[str], *, two_states: bool) -> Overall:
    """What the statuses of some checks make together; with two states a late check counts as up."""
    found = list(statuses)
    grace, down = found.count("grace"), found.count("down")
    status = "down" if down else "late" if grace and not two_states else "up"
    return Overall(status, len(found), grace, down)


SHIELDS = {"up": "success", "late": "important", "down": "critical"}
_COLORS = {"up": "#4c1", "late": "#fe7d37", "down": "#e05d44"}

# Widths of Verdana 11px, the font of such badges, in pixels.
_WIDTHS = {
    **dict.fromkeys("ijl'", 3.0), **dict.fromkeys(" .,", 4.0), **dict.fromkeys(":;!I[]()/\\ft-r|", 4.8),
    **dict.fromkeys('sczkvxy*J"', 6.0), **dict.fromkeys("wOQGDHNU&~+=<>#^", 8.8), **dict.fromkeys("Mm@%W", 10.6),
}  # fmt: skip
_OTHER, _FULL = 7.0, 11.0


def _wide(text: str) -> int:
    return round(sum(_FULL if east_asian_width(it) in "WF" else _WIDTHS.get(it, _OTHER) for it in text)) + 10


def svg(label: str, status: str) -> str:
    """A badge as a picture: what, and how it is."""
    label = clean(label, len(label))  # XML has no control characters, not even escaped
    left, right = _wide(label), _wide(status)
    width, name = left + right, escape(label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{name}: {status}">'
        f"<title>{name}: {status}</title>"
        '<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/>'
        '<stop offset="1" stop-opacity=".1"/></linearGradient>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3" fill="#fff"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLORS[status]}"/>'
        f'<rect width="{width}" height="20" fill="url(#s)"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        + "".join(
            f'<text x="{x}" y="15" fill="#010101" fill-opacity=".3" textLength="{wide}">{text}</text>'
            f'<text x="{x}" y="14" textLength="{wide}">{text}</text>'
            for x, wide, text in ((left / 2, left - 10, name), (left + right / 2, right - 10, status))
        )
        + "</g></svg>"
    )
