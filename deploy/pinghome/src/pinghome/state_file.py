"""A private file of values to keep between starts: ports, passwords, keys."""

import json
import socket
from pathlib import Path

from pinghome_common.files import write_private


class StateFile:
    """A JSON object on disk, readable only by its owner and replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str | int] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, name: str) -> str | int | None:
        """The value of `name`, or None."""
        return self._values.get(name)

    def put(self, **values: str | int) -> None:
        """Store values; they are on disk when this returns."""
        self._values |= values
        write_private(self._path, json.dumps(self._values, indent=1) + "\n")

    def port(self, name: str) -> int:
        """A free port of 127.0.0.1, the same as before if that is still free."""
        last = int(self.get(name) or 0)
        port = _free(last) or _free(0)
        if port != last:
            self.put(**{name: port})
        return port


def _free(port: int) -> int:
    """The port (0: any) if it is free, else 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])
