"""Batches that the broker has not confirmed, kept on disk until it does."""

import os
import struct
import threading
import zlib
from pathlib import Path

_HEAD = struct.Struct(">II")
_SMALL = 256 << 10  # bytes


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
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """True while something waits to be sent."""
        return bool(self._files)

    @property
    def nearly_empty(self) -> bool:
        """True when one small file is left."""
        return len(self._files) == 1 and (not self._files[0].exists() or self._files[0].stat().st_size < _SMALL)

    def append(self, batch: bytes) -> None:
        """Returns when the batch is on the disk; OSError when it cannot be, say because the disk is full."""
        with self._lock:
            created = self._open is None
            if self._open is None:
                last = int(self._files[-1].stem) if self._files else 0
                self._open = self._folder / f"{last + 1:012d}.spool"
                self._files.append(self._open)
            try:
                with self._open.open("ab") as file:
                    file.write(_HEAD.pack(len(batch), zlib.crc32(batch)) + batch)
                    file.flush()
                    os.fsync(file.fileno())
                if created:
                    self._sync_folder()
            except OSError:
                self._open = None  # it may end in half a record, behind which nothing would be found again
                raise

    def oldest(self) -> tuple[Path, list[bytes]]:
        """The oldest file and its batches; from now on it is not written to. A torn last record was never answered."""
        with self._lock:
            path = self._files[0]
            if path == self._open:
                self._open = None
        batches, data, at = [], path.read_bytes() if path.exists() else b"", 0
        while at + _HEAD.size <= len(data):
            length, checksum = _HEAD.unpack_from(data, at)
            batch = data[at + _HEAD.size : at + _HEAD.size + length]
            if len(batch) < length or zlib.crc32(batch) != checksum:
                break
            batches.append(batch)
            at += _HEAD.size + length
        return path, batches

    def remove(self, path: Path) -> None:
        """Forgets a file whose batches are all confirmed."""
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
