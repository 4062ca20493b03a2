"""The name of a process of which others keep something: the same after a restart."""

from pathlib import Path
from uuid import uuid4

from pinghome_common.files import write_private


def lasting_name(path: Path, kind: str) -> str:
    """The name in a file, such as `gateway-1f6c9a0b7d2e`; a new one when there is no file yet."""
    if not path.exists():
        write_private(path, f"{kind}-{uuid4().hex[:12]}")
    return path.read_text()
