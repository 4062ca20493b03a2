"""The excerpt of a failing target's answer, with the monitor's secrets masked in any encoding."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from urllib.parse import quote, quote_plus

from pinghome_common.text import clean
from prober.answer import Answer
from prober.evaluation import THREADS
from prober.probes.probe_types import Observation

LIMIT = 4 << 10
_MASK = "********"
_WINDOW = 6  # characters; shorter parts of a secret would be found by chance
_IN_THREAD = 500  # characters of secrets above which they are searched for in a thread


async def hide(seen: Observation, secrets: Sequence[str]) -> None:
    """Sets the excerpt of an observation, and masks the secrets in the excerpt and in the error."""
    texts = [seen.error, Answer(seen).text[: 2 * LIMIT]]
    seen.error, text = await without_secrets(texts, secrets)
    seen.excerpt = _shortened(text)


async def without_secrets(texts: Sequence[str], secrets: Sequence[str]) -> list[str]:
    """The texts with all parts of the secrets masked."""
    if sum(map(len, secrets)) > _IN_THREAD:
        return await asyncio.get_running_loop().run_in_executor(THREADS, masked, texts, secrets)
    return masked(texts, secrets)


def excerpt(answer: bytes, secrets: Sequence[str]) -> str:
    """The first 4 KiB of an answer as text, without secrets and control characters (tab and line feed stay)."""
    return _shortened(masked([answer[: 2 * LIMIT].decode("utf-8", "replace")], secrets)[0])


def _shortened(text: str) -> str:
    return clean(text, 2 * LIMIT, lines=True).encode()[:LIMIT].decode("utf-8", "ignore")


def masked(texts: Sequence[str], secrets: Iterable[str]) -> list[str]:
    """Masks every part of a secret of at least six characters, in all its encodings."""
    windows = {text[at : at + _WINDOW] for text in texts for at in range(len(text) - _WINDOW + 1)}
    found: set[str] = set()
    for secret in secrets:
        for form in _encodings(secret):
            found |= windows.intersection(form[at : at + _WINDOW] for at in range(len(form) - _WINDOW + 1))
    return [_mask(text, found) for text in texts] if found else list(texts)


def _mask(text: str, parts: set[str]) -> str:
    """Masks the parts in a text; adjacent and overlapping ones get one mask."""
    pieces: list[str] = []
    end = at = 0
    while at < len(text) - _WINDOW + 1:
        if text[at : at + _WINDOW] in parts:
            if at >= end:
                pieces += [text[end:at], _MASK]
            end = at + _WINDOW
        at += 1
    return "".join([*pieces, text[end:]])


def _encodings(secret: str) -> Iterator[str]:
    """A secret as an answer may contain it: plain, and as in JSON, URLs, HTML and base64."""
    for plain in {secret, *_credentials(secret)}:
        if len(plain) < _WINDOW:
            continue
        yield from {plain, escape(plain), json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}
        data = plain.encode("utf-8", "replace")
        for quoted in {quote(data, safe=""), quote(data), quote_plus(data)} - {plain}:
            yield from (quoted, quoted.replace("%", "%25"), _lower_hex(quoted))
        for offset in range(3):  # its position in the encoded data shifts the characters
            encoded = b64encode(b"\0" * offset + data).decode().rstrip("=")[(0, 2, 3)[offset] :]
            stable = encoded[: len(encoded) - (1 if (len(data) + offset) % 3 else 0)]
            yield from {stable, stable.replace("+", "-").replace("/", "_")}


def _lower_hex(quoted: str) -> str:
    first, *rest = quoted.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _credentials(secret: str) -> Iterator[str]:
    """The decoded credentials of a `Basic` value."""
    scheme, _, value = secret.partition(" ")
    if scheme.lower() == "basic":
        try:
            yield b64decode(value).decode("utf-8", "replace")
        except ValueError:
            return
