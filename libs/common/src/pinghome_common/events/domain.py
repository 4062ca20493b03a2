"""The registered domain below which a monitor's host lies, as its registry tells of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Domain:
    """A registered domain, such as `example.co.uk`; what the registry does not tell is empty or None."""

    name: str
    registrar: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    checked_at: datetime
