"""The pages on disk, so that a process that starts while nothing else is there has something to show."""

import time
from pathlib import Path
from uuid import UUID

import msgspec

from pinghome_common.logs import log
from statuspage_query.public import material
from statuspage_query.public.material import Material


class Snapshot:
    """One file for each page in a folder; `at` is when the last one was known to be current (seconds)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._current = folder / "current"

    def load(self) -> list[Material]:
        """All pages; one that cannot be read is left out, and comes back from the database."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(material.decode(path.read_bytes()))
            except (msgspec.MsgspecError, OSError) as error:
                log.warning("page_snapshot_unreadable", page=path.stem, error=str(error))
        return found

    def save(self, it: Material) -> None:
        """Writes one page."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{it.page.id}.json"
        new = path.with_suffix(".new")
        new.write_bytes(material.encode(it))
        new.replace(path)

    def remove(self, page: UUID) -> None:
        """Forgets one page."""
        (self._folder / f"{page}.json").unlink(missing_ok=True)

    def current(self) -> None:
        """All that is here is as the database has it now."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._current.touch()

    def current_at(self) -> float | None:
        """When that was said last, in UNIX seconds; None: never."""
        try:
            return min(self._current.stat().st_mtime, time.time())
        except OSError:
            return None
