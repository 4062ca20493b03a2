"""The spool: batches on disk until the broker has confirmed them."""

import asyncio
import os
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pinghome_common.errors import Unavailable
from pinghome_common.health import resting
from pinghome_common.logs import log
from pinghome_common.process_folder import held

_HEAD = struct.Struct(">II")
_SMALL_FILE = 256 << 10  # bytes
MAX_FILE = 8 << 20  # bytes after which a new file is started

READ_SIZE = 2 << 20
"""Bytes that are read and sent at a time."""

LAST_FILE_TIMEOUT = 1.0
"""Seconds for which new batches wait at most while the last file is sent."""

Publish = Callable[[Sequence[bytes]], Awaitable[None]]
"""Returns when some batches are in the stream; raises Unavailable when it cannot know that."""


class Spool:
    """Append-only files of batches; a file is deleted once all its batches are sent.

    Calls that are no coroutines block on the disk, so they belong in a thread.

    Args:
        folder: where the files are; those of an earlier process are sent, too.
        limit: bytes above which the oldest files are dropped; None: the disk is the limit.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self._order = asyncio.Lock()
        self._folder, self._limit = folder, limit
        self._files = sorted(folder.glob("*.spool"))
        self._open: Path | None = None
        self._size = 0
        self._lock = threading.Lock()
        self._filled = asyncio.Event()

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
                self._folder.mkdir(parents=True, exist_ok=True)
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
            if created and self._limit is not None:
                self._drop_oldest(self._limit)

    def _drop_oldest(self, limit: int) -> None:
        """Leaves room for a whole file below the limit."""
        sizes = {path: path.stat().st_size for path in self._files if path.exists()}
        for path, size in list(sizes.items())[:-1]:
            if sum(sizes.values()) + MAX_FILE <= limit:
                return
            log.warning("spool_full", dropped=str(path), bytes=size)
            path.unlink(missing_ok=True)
            self._files.remove(path)
            del sizes[path]

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
            if path in self._files:  # else it was dropped meanwhile
                self._files.remove(path)
            self._sync_folder()

    async def store(self, batches: Sequence[bytes], publish: Publish) -> bool:
        """Has batches published, or keeps them while that cannot be and while older ones wait; true: published.

        Raises:
            OSError: they could not be written.
        """
        async with self._order:
            if not self:
                try:
                    await publish(batches)
                except Unavailable:
                    log.warning("telemetry_spooled")
                else:
                    return True
            try:
                for batch in batches:
                    await asyncio.to_thread(self.append, batch)
            finally:
                self._filled.set()
        return False

    async def drain(self, publish: Publish, connected: Callable[[], bool]) -> None:
        """Sends what is spooled, oldest first, whenever there is a connection; until cancelled."""
        while True:
            while self and connected():
                await self.send_oldest(publish, None)
                if self.nearly_empty:  # new batches wait, or under load it would never be empty
                    async with self._order:
                        await self.send_oldest(publish, LAST_FILE_TIMEOUT)
            self._filled.clear()
            with resting():
                await (asyncio.sleep(0.2) if self else self._filled.wait())

    async def send_oldest(self, publish: Publish, seconds: float | None) -> None:
        """Sends the oldest file; TimeoutError after `seconds`."""
        path, batches = await asyncio.to_thread(self.oldest)
        sent = 0
        async with asyncio.timeout(seconds):
            while part := await asyncio.to_thread(next_part, batches):
                await publish(part)
                sent += len(part)
        await asyncio.to_thread(self.remove, path)
        log.info("spool_file_sent", batches=sent)

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


async def adopt(
    folders: Iterable[Path],
    publish: Publish,
    connected: Callable[[], bool],
    emptied: Callable[[Path], Awaitable[None]] | None = None,
) -> None:
    """Sends the spools of those processes of a service that have ended, once.

    Args:
        folders: those that processes of a service have or had, each with its spool.
        publish: sends batches, as in `Spool.store`.
        connected: whether that makes sense now.
        emptied: called with a folder that has nothing left to send, while no other process can take it.
    """
    for folder in sorted(folders):
        with held(folder) as abandoned:
            spool = Spool(folder / "spool")
            while abandoned and spool and connected():
                await spool.send_oldest(publish, None)
            if abandoned and not spool and connected() and emptied:
                await emptied(folder)


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


def next_part(batches: Iterator[bytes]) -> list[bytes]:
    """The next batches of a file, about `READ_SIZE` bytes."""
    part: list[bytes] = []
    size = 0
    while size < READ_SIZE and (batch := next(batches, None)) is not None:
        part.append(batch)
        size += len(batch) + 1024
    return part
