"""The part of a failing target's answer that may be shown: without a monitor's secrets, in any encoding."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from urllib.parse import quote, quote_plus

from pinghome_common.text import clean
from prober.answer import Answer
from prober.judges import THREADS
from prober.probes.probe_types import Observation

LIMIT = 4 << 10
_MASK = "********"
_SHORTEST = 6  # a part of fewer characters would be found, and masked, by chance
_LONG = 500  # characters of secrets beyond which a thread looks for them


async def hide(seen: Observation, secrets: Sequence[str]) -> None:
    """Sets the excerpt of an observation, and takes the secrets out of it and out of the error."""
    texts = [seen.error, Answer(seen).text[: 2 * LIMIT]]
    seen.error, shown = await hidden(texts, secrets)
    seen.excerpt = _shortened(shown)


async def hidden(texts: Sequence[str], secrets: Sequence[str]) -> list[str]:
    """The texts without any part of the secrets."""
    if sum(map(len, secrets)) > _LONG:
        return await asyncio.get_running_loop().run_in_executor(THREADS, masked, texts, secrets)
    return masked(texts, secrets)


def excerpt(answer: bytes, secrets: Sequence[str]) -> str:
    """The beginning of an answer: 4 KiB of text without `secrets` or control characters (tab and line feed stay)."""
    return _shortened(masked([answer[: 2 * LIMIT].decode("utf-8", "replace")], secrets)[0])


def _shortened(text: str) -> str:
    return clean(text, 2 * LIMIT, lines=True).encode()[:LIMIT].decode("utf-8", "ignore")


def masked(texts: Sequence[str], secrets: Iterable[str]) -> list[str]:
    """Texts in which every part of a secret, of six characters or more and in any of its forms, is masked."""
    here = {text[at : at + _SHORTEST] for text in texts for at in range(len(text) - _SHORTEST + 1)}
    found: set[str] = set()
    for secret in secrets:
        for form in _forms(secret):
            found |= here.intersection(form[at : at + _SHORTEST] for at in range(len(form) - _SHORTEST + 1))
    return [_covered(text, found) for text in texts] if found else list(texts)


def _covered(text: str, parts: set[str]) -> str:
    """The text with the places that the parts cover masked, each run of them once."""
    shown: list[str] = []
    end = at = 0
    while at < len(text) - _SHORTEST + 1:
        if text[at : at + _SHORTEST] in parts:
            if at >= end:
                shown += [text[end:at], _MASK]
            end = at + _SHORTEST
        at += 1
    return "".join([*shown, text[end:]])


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may come back: plain, and as it stands in JSON, URLs, HTML and base64."""
    for plain in {secret, *_credentials(secret)}:
        if len(plain) < _SHORTEST:
            continue
        yield from {plain, escape(plain), json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}
        data = plain.encode("utf-8", "replace")
        for quoted in {quote(data, safe=""), quote(data), quote_plus(data)} - {plain}:
            yield from (quoted, quoted.replace("%", "%25"), _small_hex(quoted))
        for offset in range(3):  # where it stands in what was encoded shifts its letters
            encoded = b64encode(b"\0" * offset + data).decode().rstrip("=")[(0, 2, 3)[offset] :]
            whole = encoded[: len(encoded) - (1 if (len(data) + offset) % 3 else 0)]
            yield from {whole, whole.replace("+", "-").replace("/", "_")}


def _small_hex(quoted: str) -> str:
    first, *rest = quoted.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _credentials(secret: str) -> Iterator[str]:
    """Who and which password a value of `Basic` means."""
    scheme, _, value = secret.partition(" ")
    if scheme.lower() == "basic":
        try:
            yield b64decode(value).decode("utf-8", "replace")
        except ValueError:
            return
