"""A private file of values to keep between starts: ports, passwords, keys."""

import json
import secrets
import socket
from collections.abc import Container
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
        if last and _is_free(last):
            return last
        port = free_port(self._values.values())
        self.put(**{name: port})
        return port


def free_port(taken: Container[object] = ()) -> int:
    """A port of 127.0.0.1 that is free and not among those that are `taken`.

    It is below those that the kernel gives to clients, which could get it while the server starts.
    """
    while True:
        port = 10_000 + secrets.randbelow(10_000)
        if port not in taken and _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
