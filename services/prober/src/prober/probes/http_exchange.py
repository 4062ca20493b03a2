"""One HTTP/1.1 request and its answer on one connection, as an asyncio protocol.

The parser is strict. An answer that it refuses is parsed again, as browsers do.
"""

import asyncio
from http import HTTPStatus
from time import perf_counter

import httptools

from prober.probes import tolerant
from prober.probes.error_mapping import Broken

HEAD_LIMIT = 64 << 10
BODY_LIMIT = 1 << 20
_CODINGS = (b"", b"chunked", b"gzip, chunked", b"deflate, chunked")
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Exchange(asyncio.Protocol):
    """Collects the answer to one request; `over` is set when it is complete, cut at the limit, or has failed.

    `method` is the request's (an answer to HEAD has no body). With `follow`, a redirect is over after its headers.
    Times are of `perf_counter`. `failure` is the error, or None. `in_body` is true once the head is complete, `cut` if
    the body was not read to its end.
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
        self.on_body = self._body.append  # httptools calls it for each piece, which may be a hundred thousand times
        self._bodiless = method == "HEAD"
        self._follow = follow
        self._received = 0
        self.in_body = self.cut = False
        self._chunked = False
        self._tolerant: tolerant.Answer | None = None
        self._raw: list[bytes] | None = []  # everything received, while it may have to be parsed again
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def tolerated(self) -> list[str]:
        """Short sentences on protocol violations that curl and browsers accept."""
        return self._tolerant.tolerated if self._tolerant else []

    @property
    def body(self) -> bytes:
        """The first 1 MiB of the body, as sent."""
        return b"".join(self._body[: self._pieces])[:BODY_LIMIT]

    def location(self) -> bytes | None:
        """The Location of a redirect; None if there is none, or the answer is not a redirect."""
        if self.status not in REDIRECTS:
            return None
        return next((value for name, value in self.headers if name.lower() == b"location"), None) or None

    def close(self, transport: asyncio.Transport) -> None:
        """Closes at once, and breaks the reference cycle of parser and callbacks to save a garbage collection."""
        self._parser = None
        transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002  # asyncio's name
        """Records the time."""
        self.connected_at = perf_counter()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, within the limits of head and body."""
        if self.over.done() or self._parser is None:
            return
        if not self._received:
            self.first_byte_at = perf_counter()
        self._received += len(data)
        if self._tolerant is not None:
            self._tolerate(self._tolerant, data)
        else:
            self._parse(self._parser, data)
        if self._received > HEAD_LIMIT and not self.in_body:
            self._finish(Broken("sent more than 64 KiB of headers"))
        elif self._received > HEAD_LIMIT + BODY_LIMIT:
            self.cut = not self.over.done()
            self._finish()  # enough for any condition

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
                self._tolerant = tolerant.Answer(refused, bodiless=self._bodiless)
                self.in_body = False
                self._body.clear()
                self._tolerate(self._tolerant, b"".join(self._raw))

    def _tolerate(self, parser: tolerant.Answer, data: bytes) -> None:
        """Parses the next piece of an answer that the strict parser refused."""
        try:
            if piece := parser.feed(data):
                self._body.append(piece)
        except Broken as error:
            self._finish(error)
        if parser.begun and not self.in_body:
            self.in_body, self.status, self.headers, self._raw = True, parser.status, parser.headers, None
            if self._follow and self.location() is not None:
                self._finish()
        if parser.over:
            self.cut = parser.cut
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the answer; only some bodies may end like this."""
        if self.over.done():
            return
        if exc is None and self._tolerant and not self._tolerant.begun:
            exc = self._tolerant.refused
        if exc is None and not (self.in_body and self._ends_with_connection()):
            exc = Broken(
                "closed the connection in the middle of its answer"
                if self._received
                else "closed the connection without an answer"
            )
        self._finish(exc)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Stores a header; trailers are ignored."""
        if not self.in_body:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Reads the status; an answer to HEAD and a redirect are over here."""
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
        """Ends the answer, or an interim one such as 100 (Continue)."""
        if self.in_body:
            self._finish()
        else:
            self.headers.clear()

    def _is_interim(self) -> bool:
        return 100 <= self.status < 200 and self.status != HTTPStatus.SWITCHING_PROTOCOLS

    def _ends_with_connection(self) -> bool:
        if self._tolerant:
            return self._tolerant.ends_with_connection
        return not self._chunked and not any(name.lower() == b"content-length" for name, _ in self.headers)

    def _finish(self, failure: Exception | None = None) -> None:
        if not self.over.done():
            self.failure = failure
            self._pieces = len(self._body)  # what follows belongs to another answer
            self.over.set_result(None)
