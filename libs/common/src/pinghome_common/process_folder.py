"""A folder of its own for each process of a service, so that several share one data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


@contextmanager
def process_folder(parent: Path) -> Iterator[Path]:
    """The first of `<parent>/0`, `1`, … that no other process holds; the kernel releases it when the process ends."""
    for number in count():
        folder = parent / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder) as ours:
            if ours:
                yield folder
                return


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Holds a folder; false if another process does."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
