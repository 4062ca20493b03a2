"""Jinja as all pages use it."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates(folder: Path, known: dict[str, Any]) -> Environment:
    """The templates in a folder: everything is escaped, and a name that is not known is an error.

    Args:
        folder: where they are.
        known: names that all of them know.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= known
    return environment
