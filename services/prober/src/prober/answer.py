"""An answer as conditions evaluate it: decompressed, decoded, and parsed as JSON."""

import codecs
import gc
import json
import re
import zlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic_core import from_json

from prober.probes.probe_types import Observation

LIMIT = 1 << 20
"""Bytes of a body that are evaluated, before and after decompression."""

MISSING = object()
"""The value of a part that the answer does not have."""

# An escape sequence of JSON: a surrogate pair, a lone surrogate, or anything else.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
_SURROGATE = re.compile(rb"\\u[dD]")
_LONE = len(r"\ud83d")
_MAX_MEMBERS = 10  # of a gzip stream; few servers send more than one, and each costs a copy of the rest
_META = re.compile(rb"<meta\s[^>]{0,500}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# Labels that browsers map to a larger encoding than Python does (WHATWG Encoding), and all supported encodings.
_LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}  # fmt: skip
_SUPPORTED = {
    *_LARGER.values(), *(f"iso8859-{number}" for number in range(2, 17)), *(f"cp125{number}" for number in range(9)),
    *("utf-8", "utf-16-be", "koi8-r", "koi8-u", "cp866", "euc_jp", "iso2022_jp", "mac-roman", "mac-cyrillic"),
}  # fmt: skip


T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  # used like `property`
    """A cached property; that of functools takes a lock shared by all instances (Python 3.11)."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute

    def __get__(self, it: Any, _: type) -> T:
        value: T = self._compute(it)
        it.__dict__[self._compute.__name__] = value
        return value


class Answer:
    """The parts of an answer that conditions refer to."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen

    @once
    def body(self) -> bytes:
        """The first 1 MiB of the body, decompressed; empty if there is a `problem`."""
        return self._decompressed[0]

    @property
    def problem(self) -> str:
        """A sentence on why the body cannot be read; empty if it can."""
        return self._decompressed[1]

    @property
    def cut(self) -> bool:
        """True if the body was not read to its end."""
        return self._seen.cut or len(self._seen.body) >= LIMIT or len(self.body) >= LIMIT

    @once
    def text(self) -> str:
        """The body as text. Its encoding is that of the byte order mark, the header or the document, else UTF-8."""
        for mark, encoding in _BOMS:
            if self.body.startswith(mark):
                return self.body[len(mark) :].decode(encoding, "replace")
        return self.body.decode(self._declared or "utf-8", "replace")

    @once
    def document(self) -> Any:
        """The body parsed as JSON in any encoding; MISSING if it is not JSON."""
        gc.disable()  # it would traverse a hundred thousand new lists again and again
        try:
            return _parse(self.body)
        except ValueError:
            try:
                return _parse(self._json_text.encode("utf-8", "replace"))
            except ValueError:
                return MISSING
        finally:
            gc.enable()

    @property
    def _json_text(self) -> str:
        encoding = json.detect_encoding(self.body)  # by its byte order mark or the positions of NUL
        if encoding != "utf-8":
            return self.body.decode(encoding, "replace")
        try:
            return self.body.decode(self._declared or "utf-8")
        except UnicodeError:
            return self.body.decode("cp1252", "replace")

    def header(self, name: str) -> str:
        """All values of a header, separated by commas."""
        encoded = name.encode()
        return ",".join(value.decode("latin-1") for key, value in self._seen.headers if key.lower() == encoded)

    @property
    def _declared(self) -> str | None:
        found = _PARAMETER.search(self.header("content-type"))
        if found and (encoding := _encoding(found[1])):
            return encoding
        begin = self.body[:1024]
        declared = _META.search(begin) or _XML.match(begin)
        encoding = _encoding(declared[1].decode()) if declared else None
        # In UTF-16 the declaration would not have been found.
        return "utf-8" if encoding and encoding.startswith("utf-16") else encoding

    @once
    def _decompressed(self) -> tuple[bytes, str]:
        codings = f"{self.header('content-encoding')},{self.header('transfer-encoding')}".lower().split(",")
        named = [coding for each in codings if (coding := each.strip()) not in {"", "identity", "chunked"}]
        body = self._seen.body
        for coding in reversed(named[-3:]):
            if coding not in {"gzip", "x-gzip", "deflate"}:
                return b"", f"the answer has the unsupported encoding {coding[:30]}"
            if not body:
                return b"", ""
            try:
                body = _inflate(body, coding)
            except zlib.error:
                return b"", f"the answer is not valid {coding}"
        return body[:LIMIT], ""


def _parse(text: bytes) -> Any:
    """Parses JSON in UTF-8.

    Raises:
        ValueError: it is not valid.
    """
    return from_json(_ESCAPE.sub(_replace_lone, text) if _SURROGATE.search(text) else text)


def _replace_lone(escape: re.Match[bytes]) -> bytes:
    """Replaces a lone surrogate by U+FFFD, because nothing that stores text can hold it."""
    return rb"\ufffd" if len(escape[0]) == _LONE else escape[0]


def _encoding(label: str) -> str | None:
    """Python's name of an encoding; None if it is not supported."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    name = _LARGER.get(name, name)
    return name if name in _SUPPORTED else None


def _inflate(compressed: bytes, coding: str) -> bytes:
    """Decompresses at most `LIMIT` bytes; a truncated stream is no error.

    Raises:
        zlib.error: the data is not compressed like this.
    """
    if coding == "deflate":
        try:
            return zlib.decompressobj().decompress(compressed, LIMIT)
        except zlib.error:
            # Some servers send it without the zlib header.
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, LIMIT)
    found = b""
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        found += member.decompress(compressed, LIMIT - len(found))
        compressed = member.unused_data
        if not compressed.startswith(b"\x1f\x8b") or len(found) >= LIMIT:
            break
    return found
