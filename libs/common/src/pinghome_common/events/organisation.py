"""An organisation, to which everything belongs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(slots=True, kw_only=True)
class Organisation:
    """One organisation; that of the `operator` is the first that was made. `organisation` is its own id."""

    id: UUID
    organisation: UUID
    name: str
    operator: bool = False
    created_at: datetime
