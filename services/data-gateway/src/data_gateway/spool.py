"""Batches that the broker has not confirmed, kept on disk until it does."""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEAD = struct.Struct(">II")
_SMALL = 256 << 10  # bytes
SEGMENT = 8 << 20  # bytes of a file beyond which the next batch begins another one


class Spool:
    """Files of records, written at the end and read from the start; a file whose batches are all sent is deleted.

    Every call blocks on the disk: run it in a thread.

    Args:
        folder: of the files; what an earlier process left there is sent, too.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files = sorted(folder.glob("*.spool"))
        self._open: Path | None = None
        self._size = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """True while there is something to send."""
        return bool(self._files)

    @property
    def nearly_empty(self) -> bool:
        """True when one small file is left."""
        return len(self._files) == 1 and (not self._files[0].exists() or self._files[0].stat().st_size < _SMALL)

    def append(self, batch: bytes) -> None:
        """Returns when the batch is on disk; raises OSError when that fails, say because the disk is full."""
        with self._lock:
            if self._size >= SEGMENT:
                self._open = None
            created = self._open is None
            if self._open is None:
                self._size = 0
                last = int(self._files[-1].stem) if self._files else 0
                self._open = self._folder / f"{last + 1:012d}.spool"
                self._files.append(self._open)
            try:
                with self._open.open("ab") as file:
                    file.write(_HEAD.pack(len(batch), zlib.crc32(batch)) + batch)
                    file.flush()
                    os.fsync(file.fileno())
                self._size += _HEAD.size + len(batch)
                if created:
                    self._sync_folder()
            except OSError:
                self._open = None  # it may end in half a record, after which nothing could be read
                raise

    def oldest(self) -> tuple[Path, Iterator[bytes]]:
        """The oldest file and its batches, read lazily; from now on it is not written to.

        A torn last record was never acknowledged.
        """
        with self._lock:
            path = self._files[0]
            if path == self._open:
                self._open = None
        return path, _batches(path)

    def remove(self, path: Path) -> None:
        """Deletes a file whose batches are all confirmed."""
        with self._lock:
            path.unlink(missing_ok=True)
            self._files.remove(path)
            self._sync_folder()

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _batches(path: Path) -> Iterator[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        left = path.stat().st_size
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            left -= _HEAD.size + length
            if left < 0:
                return
            batch = file.read(length)
            if zlib.crc32(batch) != checksum:
                return
            yield batch
