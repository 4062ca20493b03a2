"""The bodies of commands on incidents, their updates and templates (contract H)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pinghome_common.dialects.pinghome_fields import Flag, Name
from pinghome_common.events.incident import Impact, IncidentStatus
from statuspage_cmd.api.pinghome.fields import Components, Message, Moment

_COMPONENTS: list[JsonValue] = [{"id": "906a3444-15ce-4410-8041-89a238e9e91f", "status": "partial-outage"}]


class _Sent(BaseModel):
    def sent(self) -> dict[str, Any]:
        """The fields that were sent, in our words."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class UpdateIncident(_Sent):
    """An incident's settings as a client may send them; an absent field is unchanged.

    A status or components that differ from what the incident has now make an update without a message.
    """

    title: Name = ""
    message: Message = ""
    status: IncidentStatus = IncidentStatus.investigating
    impact: Impact | None = Field(None, description="null: by the worst status of its components")
    components: Components = Field([], description="with the status that each has meanwhile")
    notify: Flag = Field(default=False, description="whether subscribers are told of this change")
    occurred_at: Moment = Field(None, description="when it began; default: now")  # type: ignore[assignment]


class CreateIncident(UpdateIncident):
    """An incident to be opened."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Payments fail",
                    "message": "<p>Some payments are <b>declined</b>; we are looking into it.</p>",
                    "status": "investigating",
                    "components": _COMPONENTS,
                    "notify": True,
                }
            ]
        }
    )

    title: Name
    notify: Flag = Field(default=True, description="whether subscribers are told")

    def sent(self) -> dict[str, Any]:
        """As everywhere; subscribers are told unless it is said otherwise."""
        return super().sent() | {"notify": self.notify}


class UpdateUpdate(_Sent):
    """An update's settings as a client may send them; an absent field is unchanged."""

    status: IncidentStatus = IncidentStatus.investigating
    message: Message = ""
    components: Components = Field([], description="with the status that each has from now on; absent: as before")
    notify: Flag = Field(default=False, description="whether subscribers are told of this change")


class CreateUpdate(UpdateUpdate):
    """An update to be written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "identified",
                    "message": "A certificate of our bank has expired.",
                    "components": _COMPONENTS,
                }
            ]
        }
    )

    status: IncidentStatus
    notify: Flag = Field(default=True, description="whether subscribers are told")

    def sent(self) -> dict[str, Any]:
        """As everywhere; subscribers are told unless it is said otherwise."""
        return super().sent() | {"notify": self.notify}


class Postmortem(_Sent):
    """What was learnt; an empty message takes it away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": "<p>We now watch the certificates of <b>others</b>, too.</p>"}]}
    )

    message: Message


class UpdateTemplate(_Sent):
    """A template's settings as a client may send them; an absent field is unchanged."""

    name: Name = ""
    title: Name = ""
    message: Message = ""
    status: IncidentStatus = IncidentStatus.investigating
    impact: Impact | None = None
    components: Components = []


class CreateTemplate(UpdateTemplate):
    """A template to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Bank", "title": "Payments fail", "status": "identified", "components": _COMPONENTS}]
        }
    )

    name: Name
    title: Name
