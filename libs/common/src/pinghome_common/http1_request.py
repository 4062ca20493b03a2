"""Rejects requests that are too large or not HTTP/1.1 while they are received."""

import re

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pinghome_common import limits
from pinghome_common.limits import ConnectionRejected, Gate

MALFORMED = "This is not a valid HTTP/1.1 request; check its request line and its headers."
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


class Trailers:
    """Replaces a request's list of headers once it is complete: counts the trailers and drops them.

    Trailers are not headers (RFC 9110 §6.5.1), and a proxy in front has checked only the headers.
    """

    def __init__(self) -> None:
        self.size = 0

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Drop a trailer; ConnectionRejected when they are too long together."""
        self.size += len(header[0]) + len(header[1]) + 4
        check_framing(self.size)


def check_framing(size: int) -> None:
    """ConnectionRejected when a body has too many bytes of chunk extensions and trailers."""
    if size > limits.HEAD_LIMIT:
        raise ConnectionRejected(
            431, f"The body has more than {limits.HEAD_LIMIT} bytes of chunk extensions and trailers."
        )


class RequestLimits(HttpToolsProtocol):
    """The callbacks of the parser, with their limits; each raises ConnectionRejected."""

    gate: Gate
    data: bytes  # the last read
    read = 0  # its bytes
    unfinished: object = None  # the request whose head is incomplete
    head = 0  # its bytes so far, without the first read, which may contain the end of an earlier request
    body = 0  # bytes of the body so far
    framed: object = None  # the request whose body started in an earlier read
    framing = 0  # raw bytes of that body beyond its content and the sizes of its chunks
    completed: object = None  # the last complete request
    in_line = False  # the request line is incomplete
    last = b""  # the last bytes of an unfinished head
    searched = 0  # bytes of it in which request lines were found

    def _quote_query(self, data: bytes) -> bytes:
        """Percent-encode raw bytes in the query of a request line, which some scripts send and llhttp rejects.

        Works only for a request line at the start of a read, not for later pipelined ones.
        """
        line, end, rest = data.partition(b"\n")
        path, mark, query = line.partition(b"?")
        if self.in_line and b"?" in self.url:
            path, mark, query = b"", b"", line
        return path + mark + _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], query) + end + rest

    def _check_unfinished_head(self, data: bytes) -> None:
        begins = self.scope is not self.unfinished
        if begins:
            self.unfinished, self.head = self.scope, 0
        else:
            self.head += self.read
        self.in_line = (begins or self.in_line) and b"\n" not in data
        self._check_head(self.head)
        data = self.last + data
        if b" RTSP/" in data or b" ICE/" in data:
            self._check_protocol(data)
        self.last = data[-80:]

    def _check_protocol(self, data: bytes) -> None:
        """Reject protocols that llhttp parses as if they were HTTP."""
        found = re.compile(re.escape(self.url[-64:]) + rb" (HTTP|RTSP|ICE)/").search(data, self.searched)
        self.searched = found.end() if found else 0
        if found and found[1] != b"HTTP":
            raise ConnectionRejected(400, MALFORMED)

    def _check_unfinished_body(self) -> None:
        if self.scope is self.framed:
            self.framing += self.read
            check_framing(self.framing)
        else:  # this read may contain the end of the head, and earlier requests
            self.framed, self.framing = self.scope, 0

    @override
    def on_message_complete(self) -> None:
        self.completed = self.scope
        super().on_message_complete()

    def on_chunk_header(self) -> None:
        """Called by the parser for each chunk; its size and line ends are not an extension."""
        self.framing -= limits.CHUNK_FRAME

    def _check_head(self, size: int) -> None:
        if len(self.url) > limits.URL_LIMIT:
            raise ConnectionRejected(414, f"The address is longer than {limits.URL_LIMIT} bytes; shorten it.")
        if size > limits.HEAD_LIMIT or len(self.headers) > limits.HEADERS_LIMIT:
            limit = f"{limits.HEADERS_LIMIT} headers or {limits.HEAD_LIMIT} bytes of them"
            raise ConnectionRejected(431, f"The request has more than {limit}; send fewer or shorter ones.")

    @override
    def on_headers_complete(self) -> None:
        size = self.read
        if size > limits.HEAD_LIMIT or self.scope is self.unfinished:  # exactly: reads contain bodies and requests, too
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._check_head(size)
        if len(self.pipeline) >= limits.PIPELINE_LIMIT:
            raise ConnectionRejected(
                429, f"More than {limits.PIPELINE_LIMIT} requests wait here; read their answers first."
            )
        data = self.data
        if self.last:
            data, self.last, self.in_line = self.last + data, b"", False
        if b" RTSP/" in data or b" ICE/" in data:
            self._check_protocol(data)
        self.body = 0
        chunked = self._check_headers()
        super().on_headers_complete()
        if chunked and self.cycle is not None and self.cycle.scope is self.scope:  # otherwise it is parsed again
            self.headers = Trailers()  # type: ignore[assignment]

    def _check_headers(self) -> bool:
        """True if the body is chunked."""
        hosts, chunked = 0, False
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                self._check_body(int(value))
            elif name == b"transfer-encoding":
                chunked = True
        version = self.parser.get_http_version()
        if version not in {"1.1", "1.0"} or hosts > 1:
            raise ConnectionRejected(400, MALFORMED)
        if not hosts and version == "1.1":
            raise ConnectionRejected(400, "The request names no host; send one Host header.")
        return chunked

    @override
    def on_body(self, body: bytes) -> None:
        self.body += len(body)
        self.framing -= len(body)
        self._check_body(self.body)
        if self.gate.bodies_full:
            raise ConnectionRejected(503, "Too many requests are arriving; try again in a few seconds.")
        super().on_body(body)

    def _check_body(self, size: int) -> None:
        if size > self.gate.body_limit:
            host = next((value for name, value in self.scope["headers"] if name == b"host"), b"")
            limit = self.gate.body_limit_of(host, self.url)
            if size > limit:
                raise ConnectionRejected(413, f"The body is longer than {limit} bytes; send a shorter one.")
