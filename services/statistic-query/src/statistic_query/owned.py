"""A monitor that is the caller's: what a question on its series takes, so that none can be asked of another's."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Owned:
    """A monitor or a heartbeat that the caller's organisation has; `Read` and `checks.find` alone make one."""

    id: UUID
    created_at: datetime
