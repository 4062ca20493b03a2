"""Types of fields that bodies of statuspage-cmd share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pinghome_common.dialects.pinghome_fields import Id, Text
from pinghome_common.dialects.pinghome_pages import STATUSES
from pinghome_common.events.incident import Affected
from pinghome_common.html import clean
from pinghome_common.settings import LONGEST_MESSAGE, MOST_COMPONENTS


def _status(value: str) -> str:
    if value not in STATUSES:
        raise PydanticCustomError("status", "must be one of " + ", ".join(STATUSES))
    return value


Status = Annotated[Text, AfterValidator(_status)]
Message = Annotated[Text, Field(max_length=LONGEST_MESSAGE, description="HTML or plain text"), AfterValidator(clean)]


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or not 2000 <= at.year < 2200:
        raise PydanticCustomError("moment", "must be a time such as 2026-11-21T21:50:15Z")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""RFC 3339; without an offset it is UTC."""


class AffectedBody(BaseModel):
    """A component of the page, and the status that it has meanwhile."""

    id: Id
    status: Status


def _affected(value: list[AffectedBody]) -> list[Affected]:
    return [Affected(component=each.id, status=STATUSES[each.status]) for each in value]


Components = Annotated[list[AffectedBody], Field(max_length=MOST_COMPONENTS), AfterValidator(_affected)]
