"""The bodies of commands on maintenance (contract H)."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pinghome_common.dialects.pinghome_fields import Flag, Id, Int, Name, Text, Zone
from pinghome_common.settings import MOST_COMPONENTS
from statuspage_cmd.api.pinghome.fields import Message, Moment


class UpdateMaintenance(BaseModel):
    """A maintenance's settings as a client may send them; an absent field is unchanged.

    With an `rrule` it comes again and again; its id is then that of the rule, and the rule's fields are its own.
    Subscribers are told of its first one at once, of each other one a day ahead.
    """

    title: Name = ""
    message: Message = ""
    components: list[Id] = Field([], max_length=MOST_COMPONENTS)
    scheduled_for: Moment = Field(None, description="when it begins; of a rule: when its first one may")  # type: ignore[assignment]
    ends_at: Moment = Field(None, description="when it ends; not of a rule")  # type: ignore[assignment]
    duration: Int = Field(0, ge=1, le=44_640, description="minutes; in place of ends_at, and of a rule")
    rrule: Annotated[Text, Field(max_length=500)] = Field("", description="RFC 5545, such as FREQ=WEEKLY;BYDAY=SU")
    timezone: Zone = Field("UTC", description="of the rule; default: the page's")
    notify: Flag = Field(default=False, description="whether subscribers are told of this change")
    silence_alerts: Flag = Field(
        default=False,
        description="whether, while it is in progress, no alerts are sent for what its components follow; what is still"
        " down at its end is alerted then",
    )

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, in our words."""
        return self.model_dump(include=self.model_fields_set)


class CreateMaintenance(UpdateMaintenance):
    """A maintenance to be announced."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Database upgrade",
                    "message": "The shop is read-only meanwhile.",
                    "components": ["906a3444-15ce-4410-8041-89a238e9e91f"],
                    "scheduled_for": "2030-11-22T22:00:00Z",
                    "ends_at": "2030-11-23T00:00:00Z",
                    "notify": True,
                },
                {
                    "title": "Weekly restart",
                    "scheduled_for": "2026-11-22T22:00:00Z",
                    "rrule": "FREQ=WEEKLY;BYDAY=SU",
                    "timezone": "Europe/Berlin",
                    "duration": 30,
                },
            ]
        }
    )

    title: Name
    scheduled_for: Moment
    notify: Flag = Field(default=True, description="whether subscribers are told")

    def sent(self) -> dict[str, Any]:
        """As everywhere; subscribers are told unless it is said otherwise."""
        return super().sent() | {"notify": self.notify}
