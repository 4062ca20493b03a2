"""The NATS users of regions: one file each in `regions/` beside nats.conf, which includes them."""

import re
import secrets
from importlib.resources import files
from pathlib import Path

from pinghome_common.files import write_private

FOLDER = "regions"
_PASSWORD = re.compile(r'^password: "(\w+)"$', re.MULTILINE)
_INCLUDED = re.compile(r"^ *\{ include .*\n", re.MULTILINE)
_END = "    # End of the regions.\n"


def add(folder: Path, region: str, wish: str = "") -> str:
    """Writes a region's file beside nats.conf in `folder` unless it is there; returns its password, new or `wish`."""
    if known := password(folder, region):
        return known
    word = wish or secrets.token_hex(24)
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    text = files("pinghome").joinpath("region.conf").read_text("utf-8")
    text = text.replace("PASSWORD", word).replace("INBOX_INBOX", f"INBOX_prober_{region.replace('-', '_')}")
    write_private(folder / FOLDER / f"{region}.conf", text.replace("REGION", region))
    return word


def remove(folder: Path, region: str) -> None:
    """Deletes a region's file, if there is one."""
    (folder / FOLDER / f"{region}.conf").unlink(missing_ok=True)


def password(folder: Path, region: str) -> str | None:
    """The password in a region's file; None without one."""
    path = folder / FOLDER / f"{region}.conf"
    found = _PASSWORD.search(path.read_text("utf-8")) if path.exists() else None
    return found and found[1]


def include(folder: Path, config: str | None = None) -> None:
    """Writes nats.conf with the files that there are now; `config` is its text, by default as it is."""
    config = (folder / "nats.conf").read_text("utf-8") if config is None else config
    names = sorted(path.name for path in (folder / FOLDER).glob("*.conf"))
    lines = "".join(f'    {{ include "{FOLDER}/{name}" }}\n' for name in names)
    write_private(folder / "nats.conf", _INCLUDED.sub("", config).replace(_END, lines + _END))
