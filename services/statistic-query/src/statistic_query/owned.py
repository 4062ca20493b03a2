"""A monitor, heartbeat or server known to be the caller's; reads of time series require one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Owned:
    """A monitor, heartbeat or server of the caller's organisation; only `Read` creates these."""

    id: UUID
    created_at: datetime
