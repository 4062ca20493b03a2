"""The registered domain of a monitor's host, with data from its registry."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Domain:
    """A registered domain, such as `example.co.uk`; what the registry does not publish is empty or None."""

    name: str
    registrar: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    checked_at: datetime
