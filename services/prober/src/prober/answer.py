"""An answer as conditions evaluate it: decompressed, decoded by its character set, and parsed as JSON."""

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
"""Bytes of a body that are judged, before and after it is unpacked."""

MISSING = object()
"""There is no such part in the answer."""

# What a backslash begins in JSON: a pair of surrogates, half of one, or anything else.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
_SURROGATE = re.compile(rb"\\u[dD]")
_HALF = len(r"\ud83d")
_MEMBERS = 10  # of one gzip stream; few servers send more than one, and each costs a copy of what is behind it
_META = re.compile(rb"<meta\s[^>]{0,500}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?([a-z0-9_:.-]{1,40})", re.IGNORECASE)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# What browsers read a label as (WHATWG Encoding), where Python reads it more narrowly; and all others that are read.
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}  # fmt: skip
_READ = {
    *_WIDER.values(), *(f"iso8859-{number}" for number in range(2, 17)), *(f"cp125{number}" for number in range(9)),
    *("utf-8", "utf-16-be", "koi8-r", "koi8-u", "cp866", "euc_jp", "iso2022_jp", "mac-roman", "mac-cyrillic"),
}  # fmt: skip


T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  # it stands where `property` does
    """A property that is made once; that of functools holds a lock for all answers while it makes one (Python 3.11)."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __get__(self, it: Any, _: type) -> T:
        made: T = self._make(it)
        it.__dict__[self._make.__name__] = made
        return made


class Answer:
    """The parts of an answer that conditions speak of."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen

    @once
    def body(self) -> bytes:
        """The first 1 MiB of the body, unpacked; empty when `problem` says why not."""
        return self._unpacked[0]

    @property
    def problem(self) -> str:
        """Why the body cannot be read, as a sentence; empty when it can."""
        return self._unpacked[1]

    @property
    def cut(self) -> bool:
        """True when there was more of the body than was read."""
        return self._seen.cut or len(self._seen.body) >= LIMIT or len(self.body) >= LIMIT

    @once
    def text(self) -> str:
        """The body as text: by its byte order mark, else by the header, else by what it says itself, else UTF-8."""
        for mark, encoding in _BOMS:
            if self.body.startswith(mark):
                return self.body[len(mark) :].decode(encoding, "replace")
        return self.body.decode(self._declared or "utf-8", "replace")

    @once
    def document(self) -> Any:
        """The body as JSON, whatever its encoding; MISSING when it is none."""
        gc.disable()  # a hundred thousand new lists would make it look at each of them, again and again
        try:
            return _parsed(self.body)
        except ValueError:
            try:
                return _parsed(self._json_text.encode("utf-8", "replace"))
            except ValueError:
                return MISSING
        finally:
            gc.enable()

    @property
    def _json_text(self) -> str:
        encoding = json.detect_encoding(self.body)  # by its mark, or by where it has NUL
        if encoding != "utf-8":
            return self.body.decode(encoding, "replace")
        try:
            return self.body.decode(self._declared or "utf-8")
        except UnicodeError:
            return self.body.decode("cp1252", "replace")

    def header(self, name: str) -> str:
        """All values of a header, separated by commas."""
        wanted = name.encode()
        return ",".join(value.decode("latin-1") for key, value in self._seen.headers if key.lower() == wanted)

    @property
    def _declared(self) -> str | None:
        found = _PARAMETER.search(self.header("content-type"))
        if found and (encoding := _encoding(found[1])):
            return encoding
        begin = self.body[:1024]
        said = _META.search(begin) or _XML.match(begin)
        encoding = _encoding(said[1].decode()) if said else None
        return "utf-8" if encoding and encoding.startswith("utf-16") else encoding  # it could not have been read

    @once
    def _unpacked(self) -> tuple[bytes, str]:
        codings = f"{self.header('content-encoding')},{self.header('transfer-encoding')}".lower().split(",")
        named = [coding for each in codings if (coding := each.strip()) not in {"", "identity", "chunked"}]
        body = self._seen.body
        for coding in reversed(named[-3:]):
            if coding not in {"gzip", "x-gzip", "deflate"}:
                return b"", f"the answer is encoded as {coding[:30]}, which is not read here"
            if not body:
                return b"", ""
            try:
                body = _inflated(body, coding)
            except zlib.error:
                return b"", f"the answer is not valid {coding}"
        return body[:LIMIT], ""


def _parsed(text: bytes) -> Any:
    """What JSON in UTF-8 says.

    Raises:
        ValueError: it is none.
    """
    return from_json(_ESCAPE.sub(_whole, text) if _SURROGATE.search(text) else text)


def _whole(escape: re.Match[bytes]) -> bytes:
    """An escape of JSON, with half an emoji made U+FFFD: nothing that we keep can hold one."""
    return rb"\ufffd" if len(escape[0]) == _HALF else escape[0]


def _encoding(label: str) -> str | None:
    """Python's name of an encoding that is read here; None for any other."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in _READ else None


def _inflated(packed: bytes, coding: str) -> bytes:
    """At most `LIMIT` bytes of what was packed; a stream that is cut short gives what there is of it.

    Raises:
        zlib.error: it is not packed so.
    """
    if coding == "deflate":
        try:
            return zlib.decompressobj().decompress(packed, LIMIT)
        except zlib.error:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, LIMIT)  # as Microsoft's servers once did
    found = b""
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        found += member.decompress(packed, LIMIT - len(found))
        packed = member.unused_data
        if not packed.startswith(b"\x1f\x8b") or len(found) >= LIMIT:
            break
    return found
