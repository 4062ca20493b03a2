"""The file of a backup: a tar.gz that is there whole or not at all, with a checksum of each part."""

import asyncio
import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from pinghome_common.errors import DomainError

FORMAT = 1
ABOUT, END = "about.json", "end.json"
PART = 1 << 20
"""Bytes of a part: how much of a database or stream is in memory at a time."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a backup before it is made: the first part of the file.

    `secret_key` is the fingerprint of the key, `databases` has the version of each database's tables.
    """

    format: int
    version: str
    made_at: str
    secret_key: str
    databases: dict[str, str]


class Writer:
    """Writes parts in the order in which they are to be restored."""

    def __init__(self, out: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=3, mtime=0)
        self._tar = tarfile.TarFile(fileobj=self._gzip, mode="w")
        self._sums: dict[str, str] = {}

    def add(self, name: str, data: bytes) -> None:
        """Writes one part."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o600
        self._tar.addfile(entry, io.BytesIO(data))
        self._sums[name] = hashlib.sha256(data).hexdigest()

    async def stream(self, name: str, chunks: AsyncIterable[bytes]) -> AsyncIterator[int]:
        """Writes something of unknown length as `<name>/00000000` and so on; yields the bytes of each part."""
        count, waiting = 0, bytearray()
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= PART:
                await asyncio.to_thread(self.add, f"{name}/{count:08d}", bytes(waiting))
                yield len(waiting)
                count, waiting = count + 1, bytearray()
        await asyncio.to_thread(self.add, f"{name}/{count:08d}", bytes(waiting))
        yield len(waiting)

    def add_json(self, name: str, value: object) -> None:
        """Writes one part as JSON."""
        self.add(name, json.dumps(value).encode())

    def close(self) -> None:
        """Writes the last part, the checksums of all others."""
        self.add_json(END, {"sha256": self._sums})
        self._tar.close()
        self._gzip.close()


@contextmanager
def written(path: Path, about: About) -> Iterator[Writer]:
    """A backup that takes the place of `path` when the block has ended without an error; mode 0600, on disk."""
    fresh = path.with_name(path.name + ".incomplete")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            writer = Writer(out)
            writer.add_json(ABOUT, asdict(about))
            yield writer
            writer.close()
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # makes the rename durable
    os.close(folder)


def parts(path: Path) -> Iterator[tuple[str, bytes]]:
    """The parts of a backup by name, in order.

    Raises:
        DomainError: the file cannot be read.
    """
    try:
        with tarfile.open(path, "r|gz") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                yield entry.name, content.read() if content else b""
    except OSError as error:  # of gzip, too
        raise DomainError(f"{path} cannot be read: {error}") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DomainError(f"{path} is damaged, or no backup: {error}") from None


def verified(path: Path) -> About:
    """Reads all of a backup and compares every checksum.

    Raises:
        DomainError: the file is incomplete or damaged, or a newer version has made it.
    """
    found: dict[str, str] = {}
    about: dict[str, Any] | None = None
    for name, data in parts(path):
        if about is None:
            about = _about(path, name, data)
        if name == END:
            if json.loads(data)["sha256"] != found:
                raise DomainError(f"{path} is damaged: the checksums differ")
            return About(**about)
        found[name] = hashlib.sha256(data).hexdigest()
    raise DomainError(f"{path} is incomplete: its end is missing")


def _about(path: Path, name: str, data: bytes) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(data) if name == ABOUT else {}
    if "format" not in about:
        raise DomainError(f"{path} is no backup of Pinghome")
    if about["format"] > FORMAT:
        raise DomainError(f"{path} was made by a newer version, {about['version']}; use that one")
    return about
