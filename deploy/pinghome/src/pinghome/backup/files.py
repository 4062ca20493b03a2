"""What a backup has of the data folder: spools, the names of gateways, and the broker's users of regions."""

from collections.abc import Iterator
from pathlib import Path

from pinghome_common.files import write_private
from pinghome_common.secret import derive, seal, unseal

OPEN = ("data-gateway/**/name", "**/spool/*.spool")
"""What the broker has not taken yet, and the names by which gateways vouch for what they heard."""

SEALED = ("regions/*.conf",)
"""With passwords: readable with the platform's secret key only."""


def read(data: Path, secret_key: str) -> Iterator[tuple[str, bytes]]:
    """The files by their name in the backup. What is being written to a spool at this moment may be torn."""
    key = derive(secret_key, "backup")
    for kind, patterns in (("files", OPEN), ("sealed", SEALED)):
        for path in sorted({path for pattern in patterns for path in data.glob(pattern)}):
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # it has just been sent
                continue
            yield f"{kind}/{path.relative_to(data)}", seal(key, content) if kind == "sealed" else content


def write(data: Path, secret_key: str, name: str, content: bytes) -> None:
    """Writes one of them into a data folder."""
    kind, _, place = name.partition("/")
    if kind == "sealed":
        content = unseal(derive(secret_key, "backup"), content)
    path = (data / place).resolve()
    if not path.is_relative_to(data.resolve()):
        raise ValueError(f"a backup does not write outside of the data folder: {place}")
    write_private(path, content)
