"""Parses answers that violate HTTP but are accepted by curl and browsers; reports the violations."""

import re
from http import HTTPStatus

from prober.probes.error_mapping import Broken

Header = tuple[bytes, bytes]

_HEAD_END = re.compile(rb"\n\r*\n")
_LINE_END = re.compile(rb"\r*\n")
_STATUS = re.compile(rb"(HTTP)/1\.[01]( +)([1-9]\d\d)(?:[ \t].*)?", re.IGNORECASE)
_START = b"http/1."
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]+")
_LENGTH = re.compile(rb"\d{1,15}")
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r*\n")
_LINE_LIMIT = 4096
_MAX_CHUNKS = 5_000  # each costs a microsecond; a body with more is cut here


class Answer:
    """Parses one answer piece by piece; `begun` once its head is complete, `over` once its body is.

    `cut` means that the body was not read to its end, `bodiless` that it answers a HEAD. `refused` is the error of the
    strict parser.
    """

    def __init__(self, refused: Broken, *, bodiless: bool) -> None:
        self.refused = refused
        self.status = 0
        self.headers: list[Header] = []
        self.begun = self.over = self.cut = self.ends_with_connection = False
        self._tolerated: dict[str, None] = {}
        self._buffer = bytearray()
        self._searched = 0
        self._bodiless = bodiless
        self._chunks: Chunks | None = None
        self._remaining = 0

    @property
    def tolerated(self) -> list[str]:
        """Short sentences on the violations."""
        return list(self._tolerated)

    def feed(self, data: bytes) -> bytes:
        """Parses the next piece; returns its part of the body.

        Raises:
            Broken: browsers would not accept it either.
        """
        if not self.begun:
            data = self._head(data)
        if not self.begun or self.over:
            return b""
        if self._chunks:
            data = self._chunks.feed(data)
            if self._chunks.loose:
                self._tolerated["chunks are not framed correctly"] = None
            self.over, self.cut = self._chunks.over, self._chunks.cut
        elif not self.ends_with_connection:
            data = data[: self._remaining]
            self._remaining -= len(data)
            self.over = not self._remaining
        return data

    def _head(self, data: bytes) -> bytes:
        """Parses the head after any interim answers; returns what belongs to the body."""
        self._buffer += data
        self._check_start()
        while end := _HEAD_END.search(self._buffer, max(self._searched - 3, 0)):
            text = bytes(self._buffer[: end.end()])
            del self._buffer[: end.end()]
            self._searched = 0
            self._parse_head(text)
            if not 100 <= self.status < 200 or self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                self.begun = True
                return bytes(self._buffer)
        self._searched = len(self._buffer)
        return b""

    def _check_start(self) -> None:
        """Fails early if the server does not speak HTTP."""
        line, end, _ = bytes(self._buffer[:_LINE_LIMIT].lstrip()).partition(b"\n")
        if end:
            valid = _STATUS.fullmatch(line.rstrip(b"\r")) is not None
        else:
            valid = line[: len(_START)].lower() == _START[: len(line)] and len(line) < _LINE_LIMIT
        if not valid:
            raise self.refused

    def _parse_head(self, text: bytes) -> None:
        first, *lines = _LINE_END.split(text.strip())
        found = _STATUS.fullmatch(first)
        if found is None:
            raise self.refused
        self._note("header lines end with two carriage returns", present=b"\r\r\n" in text)
        self._note("header lines end without a carriage return", present=text.count(b"\n") != text.count(b"\r\n"))
        self._note("the status line does not begin with HTTP in capitals", present=found[1] != b"HTTP")
        self._note("the status line has more than one space before the status", present=len(found[2]) > 1)
        self.status = int(found[3])
        self.headers = []
        for line in lines:
            self._parse_header(line)
        self._find_end()

    def _note(self, violation: str, *, present: bool) -> None:
        if present:
            self._tolerated[violation] = None

    def _parse_header(self, line: bytes) -> None:
        """Parses a header; an invalid one is ignored, as in browsers."""
        if line[:1] in (b" ", b"\t") and self.headers:
            self._note("a header is folded over two lines", present=True)
            name, value = self.headers[-1]
            self.headers[-1] = name, value + b" " + line.strip()
            return
        name, colon, value = line.partition(b":")
        self._note("a header line has no colon", present=not colon)
        self._note("a header has a space before its colon", present=bool(colon) and name != name.rstrip())
        name = name.rstrip()
        self._note(
            "a header name has characters that HTTP does not allow", present=bool(colon) and not _TOKEN.fullmatch(name)
        )
        self._note("a header value has control characters", present=_CONTROL.search(value) is not None)
        if colon and _TOKEN.fullmatch(name):
            self.headers.append((name, _CONTROL.sub(b" ", value).strip()))

    def _find_end(self) -> None:
        """Determines how the body ends: with the last chunk, after a length, or with the connection."""
        codings, lengths = self._list(b"transfer-encoding"), self._list(b"content-length")
        self._note("Transfer-Encoding is identity", present=b"identity" in [coding.lower() for coding in codings])
        self._chunks = Chunks() if b"chunked" in [coding.lower() for coding in codings] else None
        self._note("Content-Length is sent together with chunks", present=bool(lengths) and self._chunks is not None)
        self._note("Content-Length is sent more than once", present=len(lengths) > 1)
        self.ends_with_connection = not lengths and self._chunks is None
        if lengths and self._chunks is None:
            if len(set(lengths)) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise Broken("did not answer in HTTP/1.1: its Content-Length is invalid or ambiguous")
            self._remaining = int(lengths[0])
        self.over = self._bodiless or self.status in {101, 204, 304}

    def _list(self, header: bytes) -> list[bytes]:
        values = b",".join(value for name, value in self.headers if name.lower() == header)
        return [part for each in values.split(b",") if (part := each.strip())]


class Chunks:
    """Removes the framing of chunks, even with extra spaces or without carriage returns.

    `loose` means that the framing was not strict, `cut` that there were too many chunks.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._remaining = self._count = 0
        self._expects_line_end = False  # the line end of a chunk is still to come
        self.over = self.loose = self.cut = False

    def feed(self, data: bytes) -> bytes:
        """Parses the next piece; returns its part of the body.

        Raises:
            Broken: the chunk's size is missing or invalid.
        """
        data, self._buffer = self._buffer + data, b""
        body: list[bytes] = []
        at = 0
        while at < len(data) and not self.over:
            if self._remaining:
                piece = data[at : at + self._remaining]
                body.append(piece)
                at, self._remaining = at + len(piece), self._remaining - len(piece)
                continue
            end = data.find(b"\n", at, at + _LINE_LIMIT)
            if end < 0 and len(data) - at < _LINE_LIMIT:
                self._buffer = data[at:]
                break
            line, at = data[at : end + 1], end + 1
            if self._expects_line_end and not line.strip(b"\r\n"):
                self._expects_line_end = False
                self.loose |= line != b"\r\n"
                continue
            size = _SIZE.fullmatch(line)
            if size is None:
                raise Broken("did not answer in HTTP/1.1: a chunk has no valid size")
            self.loose |= self._expects_line_end or not _STRICT_SIZE.fullmatch(line)
            self._remaining, self._expects_line_end = int(size[1], 16), True
            self._count += 1
            self.cut = self._count > _MAX_CHUNKS
            self.over = not self._remaining or self.cut  # trailers are ignored
        return b"".join(body)


_STRICT_SIZE = re.compile(rb"[0-9a-fA-F]+(?:;[^\r\n]*)?\r\n")
