"""Parses answers that violate HTTP but that curl and browsers accept; reports what was wrong."""

import re
from http import HTTPStatus

from prober.probes.error_mapping import Broken

Header = tuple[bytes, bytes]

_HEAD_END = re.compile(rb"\n\r*\n")
_LINE_END = re.compile(rb"\r*\n")
_STATUS = re.compile(rb"(HTTP)/1\.[01]( +)([1-9]\d\d)(?:[ \t].*)?", re.IGNORECASE)
_BEGIN = b"http/1."
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]+")
_LENGTH = re.compile(rb"\d{1,15}")
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r*\n")
_LINE_LIMIT = 4096
_MOST_CHUNKS = 5_000  # each costs a microsecond of our own; a body of so many is judged by what came


class Answer:
    """Reads one answer piece by piece; `begun` when its head has come, `over` when its body has.

    `cut` says that the body was read no further, `bodiless` that it answers a HEAD. `refused` is why the strict parser
    did not take it.
    """

    def __init__(self, refused: Broken, *, bodiless: bool) -> None:
        self.refused = refused
        self.status = 0
        self.headers: list[Header] = []
        self.begun = self.over = self.cut = self.ends_with_connection = False
        self._tolerated: dict[str, None] = {}
        self._held = bytearray()
        self._searched = 0
        self._bodiless = bodiless
        self._chunks: Chunks | None = None
        self._left = 0

    @property
    def tolerated(self) -> list[str]:
        """What is wrong with it, in short sentences."""
        return list(self._tolerated)

    def feed(self, data: bytes) -> bytes:
        """What of the body is in the next piece.

        Raises:
            Broken: not even a browser reads it.
        """
        if not self.begun:
            data = self._head(data)
        if not self.begun or self.over:
            return b""
        if self._chunks:
            data = self._chunks.feed(data)
            if self._chunks.loose:
                self._tolerated["chunks are not framed as HTTP says"] = None
            self.over, self.cut = self._chunks.over, self._chunks.cut
        elif not self.ends_with_connection:
            data = data[: self._left]
            self._left -= len(data)
            self.over = not self._left
        return data

    def _head(self, data: bytes) -> bytes:
        """Reads the head, and those of interim answers before it; what is left belongs to the body."""
        self._held += data
        self._look_at_begin()
        while end := _HEAD_END.search(self._held, max(self._searched - 3, 0)):
            text = bytes(self._held[: end.end()])
            del self._held[: end.end()]
            self._searched = 0
            self._read(text)
            if not 100 <= self.status < 200 or self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                self.begun = True
                return bytes(self._held)
        self._searched = len(self._held)
        return b""

    def _look_at_begin(self) -> None:
        """Who does not speak HTTP at all is not waited for."""
        line, end, _ = bytes(self._held[:_LINE_LIMIT].lstrip()).partition(b"\n")
        if end:
            fine = _STATUS.fullmatch(line.rstrip(b"\r")) is not None
        else:
            fine = line[: len(_BEGIN)].lower() == _BEGIN[: len(line)] and len(line) < _LINE_LIMIT
        if not fine:
            raise self.refused

    def _read(self, text: bytes) -> None:
        first, *lines = _LINE_END.split(text.strip())
        found = _STATUS.fullmatch(first)
        if found is None:
            raise self.refused
        self._note("header lines end with two carriage returns", there=b"\r\r\n" in text)
        self._note("header lines end without a carriage return", there=text.count(b"\n") != text.count(b"\r\n"))
        self._note("the status line does not begin with HTTP in capitals", there=found[1] != b"HTTP")
        self._note("the status line has more than one space before the status", there=len(found[2]) > 1)
        self.status = int(found[3])
        self.headers = []
        for line in lines:
            self._line(line)
        self._frame()

    def _note(self, what: str, *, there: bool) -> None:
        if there:
            self._tolerated[what] = None

    def _line(self, line: bytes) -> None:
        """One header; a line that is none is left out, as browsers do."""
        if line[:1] in (b" ", b"\t") and self.headers:
            self._note("a header goes on in a second line", there=True)
            name, value = self.headers[-1]
            self.headers[-1] = name, value + b" " + line.strip()
            return
        name, colon, value = line.partition(b":")
        self._note("a header line has no colon", there=not colon)
        self._note("a header has a space before its colon", there=bool(colon) and name != name.rstrip())
        name = name.rstrip()
        self._note(
            "a header name has characters that HTTP does not allow", there=bool(colon) and not _TOKEN.fullmatch(name)
        )
        self._note("a header value has control characters", there=_CONTROL.search(value) is not None)
        if colon and _TOKEN.fullmatch(name):
            self.headers.append((name, _CONTROL.sub(b" ", value).strip()))

    def _frame(self) -> None:
        """How the body ends: in chunks, after so many bytes, or with the connection."""
        codings, lengths = self._list(b"transfer-encoding"), self._list(b"content-length")
        self._note("Transfer-Encoding is identity", there=b"identity" in [coding.lower() for coding in codings])
        self._chunks = Chunks() if b"chunked" in [coding.lower() for coding in codings] else None
        self._note("Content-Length is sent beside chunks", there=bool(lengths) and self._chunks is not None)
        self._note("Content-Length is sent more than once", there=len(lengths) > 1)
        self.ends_with_connection = not lengths and self._chunks is None
        if lengths and self._chunks is None:
            if len(set(lengths)) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise Broken(
                    "did not answer in HTTP/1.1: its Content-Length is no number, or there are two that differ"
                )
            self._left = int(lengths[0])
        self.over = self._bodiless or self.status in {101, 204, 304}

    def _list(self, wanted: bytes) -> list[bytes]:
        values = b",".join(value for name, value in self.headers if name.lower() == wanted)
        return [part for each in values.split(b",") if (part := each.strip())]


class Chunks:
    """Takes the frame of chunks off, also where its lines have spaces or lack their carriage returns.

    `loose` says that they did, `cut` that there were too many.
    """

    def __init__(self) -> None:
        self._held = b""
        self._left = self._count = 0
        self._behind = False  # a chunk, whose line end is still to come
        self.over = self.loose = self.cut = False

    def feed(self, data: bytes) -> bytes:
        """What of the body is in the next piece.

        Raises:
            Broken: there is no chunk where one must be.
        """
        data, self._held = self._held + data, b""
        body: list[bytes] = []
        at = 0
        while at < len(data) and not self.over:
            if self._left:
                piece = data[at : at + self._left]
                body.append(piece)
                at, self._left = at + len(piece), self._left - len(piece)
                continue
            end = data.find(b"\n", at, at + _LINE_LIMIT)
            if end < 0 and len(data) - at < _LINE_LIMIT:
                self._held = data[at:]
                break
            line, at = data[at : end + 1], end + 1
            if self._behind and not line.strip(b"\r\n"):
                self._behind = False
                self.loose |= line != b"\r\n"
                continue
            size = _SIZE.fullmatch(line)
            if size is None:
                raise Broken("did not answer in HTTP/1.1: a chunk has no valid size")
            self.loose |= self._behind or not _STRICT_SIZE.fullmatch(line)
            self._left, self._behind = int(size[1], 16), True
            self._count += 1
            self.cut = self._count > _MOST_CHUNKS
            self.over = not self._left or self.cut  # trailers are of no interest
        return b"".join(body)


_STRICT_SIZE = re.compile(rb"[0-9a-fA-F]+(?:;[^\r\n]*)?\r\n")
