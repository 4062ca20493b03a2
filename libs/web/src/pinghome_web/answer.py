"""Answers that are made once and sent often: bytes, also compressed, with their ETag."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.types import Scope, Send

Headers = list[tuple[bytes, bytes]]

SMALL = 400
"""Bytes below which nothing is compressed."""
FOREVER = "public, max-age=31536000, immutable"
ASK = "no-cache"
"""To be kept, but asked for each time, which costs a 304."""

_TEXT = ("text/", "application/json", "application/rss", "application/atom", "application/feed", "image/svg")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `zipped` is None when it is not worth it."""

    status: int
    body: bytes
    zipped: bytes | None
    etag: bytes
    headers: Headers = field(default_factory=list)


def answer(
    body: str | bytes, kind: str, *, status: int = 200, cache: str = ASK, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer of a media type; texts are UTF-8."""
    raw = body.encode() if isinstance(body, str) else body
    text = kind.startswith(_TEXT)
    zipped = gzip.compress(raw, 6, mtime=0) if text and len(raw) > SMALL else None
    head = {
        "content-type": f"{kind}; charset=utf-8" if text and "json" not in kind else kind,
        "cache-control": cache,
        "x-content-type-options": "nosniff",
        **(headers or {}),
    }
    if zipped:
        head["vary"] = ", ".join(filter(None, [head.get("vary"), "Accept-Encoding"]))
    etag = b'W/"' + sha256(raw).hexdigest()[:20].encode() + b'"'
    return Answer(status, raw, zipped, etag, [(name.encode(), value.encode()) for name, value in head.items()])


async def reply(it: Answer, scope: Scope, send: Send, more: Headers = []) -> None:  # noqa: B006  # never changed
    """Sends an answer: 304 when the client has it, compressed when it may be."""
    asked: dict[bytes, bytes] = dict(scope["headers"])
    head = [(b"etag", it.etag), *it.headers, *more]
    if it.status == 200 and it.etag[2:] in asked.get(b"if-none-match", b""):
        await send({"type": "http.response.start", "status": 304, "headers": head})
        await send({"type": "http.response.body", "body": b""})
        return
    body = it.body
    if it.zipped is not None and b"gzip" in asked.get(b"accept-encoding", b""):
        body = it.zipped
        head.append((b"content-encoding", b"gzip"))
    head.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": it.status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
