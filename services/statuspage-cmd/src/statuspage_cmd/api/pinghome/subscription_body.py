"""The bodies of commands on subscriptions (contract A51, H)."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from pinghome_common.dialects.pinghome_fields import Id, Text
from pinghome_common.events.subscription import ChannelType, Chosen
from pinghome_common.settings import MOST_COMPONENTS
from pinghome_delivery.email import ADDRESS

IMPORTED = 10_000
"""Addresses that are imported at a time."""


def _address(value: str) -> str:
    if not ADDRESS.fullmatch(value):
        raise PydanticCustomError("address", "must be a mail address such as info@example.com")
    return value


Address = Annotated[Text, AfterValidator(_address)]


class _Choosing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    components: list[Id] = Field([], max_length=MOST_COMPONENTS, description="our extension: to be told only of these")
    groups: list[Id] = Field(
        [], max_length=MOST_COMPONENTS, description="our extension: and of what is in these groups"
    )

    def chosen(self) -> Chosen:
        """What the subscriber wants to hear of."""
        return Chosen(components=list(dict.fromkeys(self.components)), groups=list(dict.fromkeys(self.groups)))


class Subscribe(_Choosing):
    """A subscription as anybody may ask for it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"channel_type": "email", "channel_value": "info@pinghome.dev"}]}
    )

    channel_type: ChannelType
    channel_value: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)] = Field(
        description="a mail address, or the https URL of a webhook or of Slack's incoming webhook"
    )
    domain: Annotated[Text, Field(max_length=253)] = Field("", description="the page's domain or subdomain")
    statuspage_id: Id | None = Field(None, description="our extension")


class Import(_Choosing):
    """Subscribers whose addresses were confirmed elsewhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"addresses": ["info@pinghome.dev"]}]})

    addresses: list[Address] = Field(min_length=1, max_length=IMPORTED)
