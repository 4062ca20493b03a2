"""The name of a process of which others keep something: the same after a restart."""

from pathlib import Path
from uuid import uuid4


def lasting_name(path: Path, kind: str) -> str:
    """The name in a file, such as `gateway-1f6c9a0b7d2e`; a new one when there is no file yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{kind}-{uuid4().hex[:12]}")
        fresh.replace(path)
    return path.read_text()
