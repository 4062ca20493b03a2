"""The spool: batches on disk until the broker has confirmed them."""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEAD = struct.Struct(">II")
_SMALL_FILE = 256 << 10  # bytes
MAX_FILE = 8 << 20  # bytes after which a new file is started


class Spool:
    """Append-only files of batches; a file is deleted once all its batches are sent.

    Calls block on the disk, so they belong in a thread.

    Args:
        folder: where the files are; those of an earlier process are sent, too.
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
        return len(self._files) == 1 and (not self._files[0].exists() or self._files[0].stat().st_size < _SMALL_FILE)

    def append(self, batch: bytes) -> None:
        """Returns when the batch is on disk.

        Raises:
            OSError: it could not be written, for example because the disk is full.
        """
        with self._lock:
            if self._size >= MAX_FILE:
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
                self._open = None  # it may end in a torn record, and nothing after that could be read
                raise

    def oldest(self) -> tuple[Path, Iterator[bytes]]:
        """The oldest file, which is not written to any more, and its batches, read lazily.

        A torn record at the end was never acknowledged and is ignored.
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
