"""What may be shown of a failing target's answer."""

from collections.abc import Iterable

from pinghome_common.text import clean

LIMIT = 4 << 10
_MASK = "********"
_SHORTEST = 6  # anything less would be found, and masked, by chance


def excerpt(answer: bytes, secrets: Iterable[str]) -> str:
    """The begin of an answer: 4 KiB of text without control characters but tab and line feed, and without `secrets`."""
    text = masked(answer[: 2 * LIMIT].decode("utf-8", "replace"), secrets)
    return clean(text, 2 * LIMIT, lines=True).encode()[:LIMIT].decode("utf-8", "ignore")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Text without what was sent and nobody may read back: a target that echoes its request would show it."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, _MASK)
    return text
