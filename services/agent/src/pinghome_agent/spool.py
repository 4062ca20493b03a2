"""The samples that the platform does not have yet: on disk before anything is sent, bounded, oldest dropped first."""

import errno
import fcntl
import os
import struct
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

from pinghome_agent.logs import log

_HEADER = struct.Struct(">II")  # length and CRC-32 of what follows
_LONGEST = 1 << 20
_SEGMENTS = 16
"""Segments that the limit is divided into: a full spool loses its oldest sixteenth."""
_HELD = 360
"""Samples held in memory while the disk takes none."""


@dataclass(frozen=True, order=True)
class Position:
    """A place between two records."""

    segment: int
    offset: int


@dataclass(frozen=True)
class Batch:
    """The oldest records; `end` is where they end, None when they are held in memory."""

    records: list[bytes]
    end: Position | None


class SpoolInUse(Exception):
    """Another agent has this folder."""


class Spool:
    """Append-only segments of records with a checksum each, and a cursor: where the next batch begins.

    Survives a kill at any time: a record is there after `append`, or not at all. A lost cursor costs only repetition.
    Safe for one thread that appends and one that reads. OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._limit, self._segment_size = folder, limit, max(1, limit // _SEGMENTS)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise SpoolInUse(f"{folder} is used by another agent") from None
        self._changed = Condition()
        self._held: deque[bytes] = deque(maxlen=_HELD)
        self._failing = False
        self._sizes = {int(path.stem): path.stat().st_size for path in sorted(folder.glob("*.segment"))}
        self._active = -1
        if self._sizes:
            self._reopen(max(self._sizes))
        else:
            self._begin_segment()
        self._cursor = self._kept_cursor()

    def append(self, record: bytes) -> None:
        """Keep a record: on disk when this returns, or in memory, up to an hour of them, while the disk takes none."""
        with self._changed:
            self._held.append(record)
            try:
                while self._held:
                    self._write(self._held[0])
                    self._held.popleft()
            except OSError as error:
                if not self._failing:
                    log.error("spool_not_written", reason=error.strerror)
                self._failing = True
            else:
                self._failing = False
            self._changed.notify()

    def wait(self) -> None:
        """Return when there is a record to be read."""
        with self._changed:
            self._changed.wait_for(self._any)

    def peek(self, most_bytes: int, most_records: int) -> Batch:
        """The oldest records that fit, at least one if there are any; they stay until `advance`."""
        with self._changed:
            records: list[bytes] = []
            place, room = self._cursor, most_bytes
            while len(records) < most_records:
                found, end, damaged = self._read(place, room, most_records - len(records), at_least_one=not records)
                records += found
                room -= sum(len(each) + 1 for each in found)
                if damaged and not records:
                    self._pass_damage(place)
                elif end.offset < self._sizes[end.segment]:
                    return Batch(records, end)
                if end.segment == self._active:
                    break
                place = Position(self._next(end.segment), 0)
            if records:
                return Batch(records, end)
            self._move(max(self._cursor, place))
            return Batch(_fitting(self._held, most_bytes, most_records), None)

    def advance(self, batch: Batch) -> None:
        """Forget the records of a batch."""
        with self._changed:
            if batch.end is None:
                for record in batch.records:
                    if self._held and self._held[0] is record:
                        self._held.popleft()
            elif batch.end > self._cursor:  # they may have been dropped meanwhile
                self._move(batch.end)

    def close(self) -> None:
        """Give the folder free."""
        os.close(self._file)
        os.close(self._lock)

    def _any(self) -> bool:
        return bool(self._held) or self._cursor < Position(self._active, self._sizes[self._active])

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:012d}.segment"

    def _next(self, segment: int) -> int:
        return min(each for each in self._sizes if each > segment)

    def _reopen(self, segment: int) -> None:
        """Go on with the newest segment, without the record that a kill has torn."""
        self._sizes[segment] = good = _good_length(self._path(segment).read_bytes())
        self._file = os.open(self._path(segment), os.O_WRONLY | os.O_CLOEXEC)
        os.ftruncate(self._file, good)
        self._active = segment

    def _begin_segment(self) -> None:
        number = self._active + 1
        file = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._sync_folder()
        except OSError:
            os.close(file)
            raise
        if self._active >= 0:
            os.close(self._file)
        self._file, self._active, self._sizes[number] = file, number, 0

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, record: bytes) -> None:
        data = _HEADER.pack(len(record), zlib.crc32(record)) + record
        if self._sizes[self._active] and self._sizes[self._active] + len(data) > self._segment_size:
            self._begin_segment()
        while sum(self._sizes.values()) + len(data) > self._limit and len(self._sizes) > 1:
            self._drop_oldest()
        at = self._sizes[self._active]
        try:
            _write_all(self._file, data, at)
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, at)
            raise
        self._sizes[self._active] = at + len(data)

    def _drop_oldest(self) -> None:
        oldest = min(self._sizes)
        start = max(self._cursor, Position(oldest, 0))
        lost = self._read(start, self._limit, self._limit)[0] if start.segment == oldest else []
        self._move(max(self._cursor, Position(self._next(oldest), 0)))
        if lost:
            log.warning("spool_full", dropped_samples=len(lost))

    def _read(
        self, start: Position, most_bytes: int, most_records: int, *, at_least_one: bool = True
    ) -> tuple[list[bytes], Position, bool]:
        """Whole records from a place on, within its segment; where they end; whether what follows is damaged."""
        unread = self._sizes[start.segment] - start.offset
        data = b""
        if unread:
            with suppress(FileNotFoundError), self._path(start.segment).open("rb") as file:
                file.seek(start.offset)
                data = file.read(min(unread, max(2 * most_bytes, 2 * _LONGEST)))
        records: list[bytes] = []
        offset = size = 0
        while len(records) < most_records and (record := _record(data, offset)) is not None:
            size += len(record) + 1
            if (records or not at_least_one) and size > most_bytes:
                return records, Position(start.segment, start.offset + offset), False
            records.append(record)
            offset += _HEADER.size + len(record)
        damaged = offset < unread and len(records) < most_records
        return records, Position(start.segment, start.offset + offset), damaged

    def _pass_damage(self, place: Position) -> None:
        log.error("spool_damaged", segment=place.segment, lost_bytes=self._sizes[place.segment] - place.offset)
        if place.segment == self._active:
            self._begin_segment()

    def _move(self, cursor: Position) -> None:
        """Set the cursor and remove what lies before it. It is not synced: an older one costs only repetition."""
        self._cursor = cursor
        new = self._folder / "cursor.new"
        try:
            new.write_text(f"{cursor.segment} {cursor.offset}\n")
            new.replace(self._folder / "cursor")
        except OSError as error:
            log.error("cursor_not_written", reason=error.strerror)
        for number in [each for each in self._sizes if each < cursor.segment]:
            self._path(number).unlink(missing_ok=True)
            del self._sizes[number]

    def _kept_cursor(self) -> Position:
        oldest = Position(min(self._sizes), 0)
        try:
            segment, offset = map(int, (self._folder / "cursor").read_text().split())
        except (OSError, ValueError):
            return oldest
        if segment not in self._sizes or not 0 <= offset <= self._sizes[segment]:
            return oldest
        return Position(segment, offset)


def _write_all(file: int, data: bytes, at: int) -> None:
    if os.pwrite(file, data, at) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _record(data: bytes, offset: int) -> bytes | None:
    """The record at a place, None where there is none, or none that is whole."""
    if len(data) < offset + _HEADER.size:
        return None
    length, checksum = _HEADER.unpack_from(data, offset)
    record = data[offset + _HEADER.size : offset + _HEADER.size + length]
    if not 0 < length <= _LONGEST or len(record) < length or zlib.crc32(record) != checksum:
        return None
    return record


def _good_length(data: bytes) -> int:
    offset = 0
    while (record := _record(data, offset)) is not None:
        offset += _HEADER.size + len(record)
    return offset


def _fitting(held: deque[bytes], most_bytes: int, most_records: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for record in held:
        size += len(record) + 1
        if found and (size > most_bytes or len(found) == most_records):
            break
        found.append(record)
    return found
