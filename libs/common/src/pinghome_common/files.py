"""Files that are there whole or not at all, whatever is killed."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes | str) -> None:
    """Writes a file with mode 0600 in place of what is there, and its folder if there is none; returns when on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data.encode() if isinstance(data, str) else data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # makes the rename durable
    os.close(folder)
