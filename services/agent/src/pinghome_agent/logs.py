"""One line per event on standard error: time, level, a stable key, then fields."""

import json
import sys
import threading
import time
from typing import Any

from pinghome_agent.clock import rfc3339
from pinghome_agent.text import clean

LEVELS = ("debug", "info", "warning", "error")
_VALUE_LIMIT = 300


class Log:
    """Writes events; whatever a field holds stays in its line and is cut."""

    def __init__(self) -> None:
        self._lowest = LEVELS.index("info")
        self._lock = threading.Lock()

    def configure(self, level: str) -> None:
        """Write events of this level and above only."""
        self._lowest = LEVELS.index(level)

    def debug(self, event: str, **fields: Any) -> None:  # noqa: D102
        self._write("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:  # noqa: D102
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:  # noqa: D102
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:  # noqa: D102
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if LEVELS.index(level) < self._lowest:
            return
        told = (f"{name}={json.dumps(clean(str(value), _VALUE_LIMIT))}" for name, value in fields.items())
        line = " ".join((rfc3339(time.time()), level, event, *told))
        with self._lock:
            sys.stderr.write(line + "\n")


log = Log()
