"""A region: a place that monitors may be probed from, made by the operator."""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_DNS, UUID, uuid5

PLATFORM = UUID(int=0)
"""Stands for the organisation in what belongs to the platform itself."""


@dataclass(slots=True, kw_only=True)
class Region:
    """One region; a removed one stays as such, so that no setting brings it back."""

    id: UUID
    organisation: UUID = PLATFORM
    name: str
    removed: bool = False
    created_at: datetime


def region_id(name: str) -> UUID:
    """A region's id, which its name alone decides."""
    return uuid5(NAMESPACE_DNS, f"{name}.region.pinghome")
