"""One HTTP/1.1 request and its answer on one connection, as a protocol without streams."""

import asyncio
from http import HTTPStatus
from time import perf_counter

import httptools

from prober.probes.failure import Broken

HEAD_LIMIT = 64 << 10
BODY_LIMIT = 1 << 20
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Exchange(asyncio.Protocol):
    """Sends one request and collects one answer; `over` is set when it is there, cut at the limit or failed.

    `method` is the request's (an answer to HEAD has no body). With `follow`, a redirect is over at its last header.
    Times are of `perf_counter`. `failure` is what went wrong, or None.
    """

    def __init__(self, method: str, *, follow: bool) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self.failure: Exception | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.connected_at = 0.0
        self.first_byte_at = 0.0
        self._body: list[bytes] = []
        self._bodiless = method == "HEAD"
        self._follow = follow
        self._received = 0
        self._in_body = False
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        # A monitor is no proxy: take what browsers take, bare line feeds and odd bytes in header values.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_transfer_encoding=True
        )

    @property
    def body(self) -> bytes:
        """The first 1 MiB of the body, as sent."""
        return b"".join(self._body)[:BODY_LIMIT]

    def location(self) -> bytes | None:
        """Where a redirect leads; None when the answer is no redirect."""
        if self.status not in REDIRECTS:
            return None
        return next((value for name, value in self.headers if name.lower() == b"location"), None)

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
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            self._finish(Broken(f"did not answer in HTTP/1.1: {error}"))
        if self._received > HEAD_LIMIT and not self._in_body:
            self._finish(Broken("sent more than 64 KiB of headers"))
        elif self._received > HEAD_LIMIT + BODY_LIMIT:
            self._finish()  # enough to judge by

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the answer: some bodies end so, every other answer is broken."""
        if self.over.done():
            return
        if exc is None and not (self._in_body and self._ends_with_connection()):
            exc = Broken(
                "closed the connection in the middle of its answer"
                if self._received
                else "closed the connection without an answer"
            )
        self._finish(exc)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; a trailer is not kept."""
        if not self._in_body:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The status is known; a HEAD or a redirect needs no more."""
        if self.over.done() or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self._in_body = not self._is_interim()
        if (self._bodiless and self._in_body) or (self._follow and self.location() is not None):
            self._finish()

    def on_body(self, data: bytes) -> None:
        """A piece of the body, freed of its chunk frame."""
        if not self.over.done():
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The answer is over, or an interim one such as 100 (Continue) was."""
        if self._in_body:
            self._finish()
        else:
            self.headers.clear()

    def _is_interim(self) -> bool:
        return 100 <= self.status < 200 and self.status != HTTPStatus.SWITCHING_PROTOCOLS

    def _ends_with_connection(self) -> bool:
        return not any(
            name.lower() == b"content-length" or (name.lower() == b"transfer-encoding" and b"chunked" in value.lower())
            for name, value in self.headers
        )

    def _finish(self, failure: Exception | None = None) -> None:
        if not self.over.done():
            self.failure = failure
            self.over.set_result(None)
