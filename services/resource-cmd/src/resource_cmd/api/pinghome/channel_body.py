"""What a client may say of a channel, and of the channels that something tells: our own noun (contract F)."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pinghome_common.dialects.pinghome_fields import Id, Name, Text


def _distinct(ids: list[Any]) -> list[Any]:
    return list(dict.fromkeys(ids))


ChannelIds = Annotated[list[Id], Field(max_length=50), AfterValidator(_distinct)]


class UpdateChannel(BaseModel):
    """A channel's settings as a client may send them; an absent field is unchanged on PUT, in `config`, too."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "On call", "config": {"secret": "another one"}}]}
    )

    name: Name = ""
    kind: Text = Field("", description="email, webhook or apprise; it cannot change")
    service_id: Id | None = None
    config: dict[str, Any] = Field(
        {}, max_length=20, description="of email: to; of webhook: url, secret; of apprise: url"
    )


class CreateChannel(UpdateChannel):
    """A channel to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "On call",
                    "kind": "webhook",
                    "service_id": "14ab74bf-87a0-4565-a291-ad5c9733c53f",
                    "config": {"url": "https://hooks.example.com/pinghome"},
                }
            ]
        }
    )

    name: Name
    kind: Text = Field(description="email, webhook or apprise")
    service_id: Id
    config: dict[str, Any] = Field(max_length=20, description="of email: to; of webhook: url, secret; of apprise: url")
