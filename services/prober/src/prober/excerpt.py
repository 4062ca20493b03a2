"""What may be shown of a failing target's answer."""

import re
from collections.abc import Iterable

LIMIT = 4 << 10
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MASK = "********"
_SHORTEST = 6  # anything less would be found, and masked, by chance


def excerpt(answer: bytes, secrets: Iterable[str]) -> str:
    """The begin of an answer: 4 KiB of text without control characters but tab and line feed, and without `secrets`."""
    text = masked(answer[: 2 * LIMIT].decode("utf-8", "replace"), secrets)
    return _CONTROL.sub("", text).encode()[:LIMIT].decode("utf-8", "ignore")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Text without what was sent and nobody may read back: a target that echoes its request would show it."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, _MASK)
    return text
