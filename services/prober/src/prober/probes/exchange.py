"""One HTTP/1.1 request and its answer on one connection, as a protocol without streams.

The parser is strict. Only an answer that it refuses is read once more, as browsers read it.
"""

import asyncio
from http import HTTPStatus
from time import perf_counter

import httptools

from prober.probes import tolerant
from prober.probes.failure import Broken

HEAD_LIMIT = 64 << 10
BODY_LIMIT = 1 << 20
_CODINGS = (b"", b"chunked", b"gzip, chunked", b"deflate, chunked")
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Exchange(asyncio.Protocol):
    """Sends one request and collects one answer; `over` is set when it is there, cut at the limit or failed.

    `method` is the request's (an answer to HEAD has no body). With `follow`, a redirect is over at its last header.
    Times are of `perf_counter`. `failure` is what went wrong, or None. `in_body` is true once the head is complete,
    `cut` when the body was read no further.
    """

    def __init__(self, method: str, *, follow: bool) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.connected_at = 0.0
        self.first_byte_at = 0.0
        self._body: list[bytes] = []
        self._pieces: int | None = None
        self.on_body = self._body.append  # a piece freed of its chunk frame; there may be a hundred thousand
        self._bodiless = method == "HEAD"
        self._follow = follow
        self._received = 0
        self.in_body = self.cut = False
        self._chunked = False
        self._loose: tolerant.Answer | None = None
        self._raw: list[bytes] | None = []  # all that has come, as long as it may have to be read again
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def tolerated(self) -> list[str]:
        """What curl and browsers take although HTTP does not allow it, in short sentences."""
        return self._loose.tolerated if self._loose else []

    @property
    def body(self) -> bytes:
        """The first 1 MiB of the body, as sent."""
        return b"".join(self._body[: self._pieces])[:BODY_LIMIT]

    def location(self) -> bytes | None:
        """Where a redirect leads; None when the answer is no redirect, or does not say so."""
        if self.status not in REDIRECTS:
            return None
        return next((value for name, value in self.headers if name.lower() == b"location"), None) or None

    def close(self, transport: asyncio.Transport) -> None:
        """Closes at once, and breaks the circle of parser and callbacks, so that no collection is needed."""
        self._parser = None
        transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002  # asyncio calls it so
        """Notes the time."""
        self.connected_at = perf_counter()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, within the limits of head and body."""
        if self.over.done() or self._parser is None:
            return
        if not self._received:
            self.first_byte_at = perf_counter()
        self._received += len(data)
        if self._loose is not None:
            self._tolerate(self._loose, data)
        else:
            self._parse(self._parser, data)
        if self._received > HEAD_LIMIT and not self.in_body:
            self._finish(Broken("sent more than 64 KiB of headers"))
        elif self._received > HEAD_LIMIT + BODY_LIMIT:
            self.cut = not self.over.done()
            self._finish()  # enough to judge by

    def _parse(self, parser: httptools.HttpResponseParser, data: bytes) -> None:
        if self._raw is not None:
            self._raw.append(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            refused = Broken(f"did not answer in HTTP/1.1: {error.__context__ or error}")
            if self._raw is None:
                self._finish(refused)
            elif not self.over.done():
                self._loose = tolerant.Answer(refused, bodiless=self._bodiless)
                self.in_body = False
                self._body.clear()
                self._tolerate(self._loose, b"".join(self._raw))

    def _tolerate(self, loose: tolerant.Answer, data: bytes) -> None:
        """The next piece of an answer that the strict parser refused."""
        try:
            if piece := loose.feed(data):
                self._body.append(piece)
        except Broken as error:
            self._finish(error)
        if loose.begun and not self.in_body:
            self.in_body, self.status, self.headers, self._raw = True, loose.status, loose.headers, None
            if self._follow and self.location() is not None:
                self._finish()
        if loose.over:
            self.cut = loose.cut
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the answer: some bodies end so, every other answer is broken."""
        if self.over.done():
            return
        if exc is None and self._loose and not self._loose.begun:
            exc = self._loose.refused
        if exc is None and not (self.in_body and self._ends_with_connection()):
            exc = Broken(
                "closed the connection in the middle of its answer"
                if self._received
                else "closed the connection without an answer"
            )
        self._finish(exc)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; a trailer is not kept."""
        if not self.in_body:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The status is known; a HEAD or a redirect needs no more."""
        if self.over.done() or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self.in_body = not self._is_interim()
        if self.in_body:
            codings = b",".join(value for name, value in self.headers if name.lower() == b"transfer-encoding").lower()
            if codings not in _CODINGS:
                raise Broken("its Transfer-Encoding is not chunked")
            self._chunked = bool(codings)
            if not self._chunked:
                self._raw = None
        if (self._bodiless and self.in_body) or (self._follow and self.location() is not None):
            self._finish()

    def on_message_complete(self) -> None:
        """The answer is over, or an interim one such as 100 (Continue) was."""
        if self.in_body:
            self._finish()
        else:
            self.headers.clear()

    def _is_interim(self) -> bool:
        return 100 <= self.status < 200 and self.status != HTTPStatus.SWITCHING_PROTOCOLS

    def _ends_with_connection(self) -> bool:
        if self._loose:
            return self._loose.ends_with_connection
        return not self._chunked and not any(name.lower() == b"content-length" for name, _ in self.headers)

    def _finish(self, failure: Exception | None = None) -> None:
        if not self.over.done():
            self.failure = failure
            self._pieces = len(self._body)  # what comes behind is another answer's
            self.over.set_result(None)
