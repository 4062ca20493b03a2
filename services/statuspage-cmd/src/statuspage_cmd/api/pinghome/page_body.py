"""The bodies of commands on status pages (contract A46 to A49, H)."""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pinghome_common.dialects.pinghome_fields import Flag, Id, Int, Name, Text, Zone
from pinghome_common.dialects.pinghome_pages import STATUSES
from pinghome_common.events.statuspage import Followed
from pinghome_common.settings import MOST_COMPONENTS
from statuspage_cmd.api.pinghome.fields import Status
from statuspage_cmd.pages.page import Wanted, WantedGroup
from statuspage_cmd.pages.subdomain import RESERVED

ROBOTS = ("index", "noindex", "follow", "nofollow", "noarchive", "nosnippet", "noimageindex", "none", "all")

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TRACKING = re.compile(r"(UA-\d{4,10}-\d{1,4}|G-[A-Z0-9]{4,12})?")
_PATH = re.compile(r"[\w./-]*", re.ASCII)
_COLOR = re.compile(r"(#[0-9a-fA-F]{6})?")


def _subdomain(value: str) -> str:
    if not _SUBDOMAIN.fullmatch(value):
        raise PydanticCustomError("subdomain", "must be 1 to 63 small letters, digits and hyphens, such as acme")
    if value in RESERVED:
        raise PydanticCustomError("subdomain", "is a name of the platform itself; choose another one")
    return value


def _web(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        absolute = parts.scheme in ("http", "https") and parts.hostname and value.isprintable()
    except ValueError:
        absolute = False
    if not absolute:
        raise PydanticCustomError("url", "must be an absolute URL such as https://example.com/")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or ".." in value or value.startswith("/"):
        raise PydanticCustomError("path", "must be a relative path of letters, digits, dots, hyphens and slashes")
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value)) if "/" in value else str(ip_network(value).network_address)
    except ValueError:
        raise PydanticCustomError("network", "must be an IP address or a network such as 192.0.2.0/24") from None


def _matches(pattern: re.Pattern[str], sentence: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError("form", sentence)
        return value

    return AfterValidator(check)


Line = Annotated[Text, Field(max_length=255)]
Web = Annotated[Text, Field(max_length=2000), AfterValidator(_web)]
Image = Annotated[Text, Field(max_length=255), AfterValidator(_path)]


class ComponentBody(BaseModel):
    """A component; one that follows something shows its state while `status` is `operational`."""

    id: Id | None = Field(None, description="of one that there is; otherwise its name says which it is")
    name: Name
    description: Text = Field("", max_length=1000)
    status: Status = "operational"
    type: Followed = Followed.resource
    resource_id: Id | None = Field(None, description="what it follows; not needed for the type manual")
    showcased: Flag = True

    @model_validator(mode="after")
    def _follows(self) -> "ComponentBody":
        if self.type is not Followed.manual and self.resource_id is None:
            raise PydanticCustomError("resource", "resource_id is required unless the type is manual")
        return self

    def wanted(self) -> Wanted:
        """The component in our words."""
        settings: dict[str, Any] = {
            "description": self.description,
            "status": STATUSES[self.status],
            "type": self.type,
            "resource_id": None if self.type is Followed.manual else self.resource_id,
            "showcased": self.showcased,
        }
        return Wanted(name=self.name, settings=settings, id=self.id)


class GroupBody(BaseModel):
    """A group with its components."""

    id: Id | None = None
    name: Name
    description: Text = Field("", max_length=1000)
    components: list[ComponentBody] = Field([], max_length=MOST_COMPONENTS)

    def wanted(self) -> WantedGroup:
        """The group in our words."""
        components = [each.wanted() for each in self.components]
        return WantedGroup(
            name=self.name, settings={"description": self.description}, id=self.id, components=components
        )


class UpdatePage(BaseModel):
    """A page's settings as a client may send them; an absent field is unchanged."""

    model_config = ConfigDict(extra="ignore")

    name: Name = ""
    description: Text = Field("", max_length=2000)
    subdomain: Annotated[Text, AfterValidator(_subdomain)] = Field("", description="of the page's address")
    type: Literal["public", "private"] = "public"
    password: Annotated[Text, Field(max_length=128)] = Field("", description="of a private page; shown never")
    update_password: Flag = Field(default=False, description="only then a change of the page changes its password")
    domain: Annotated[Text, Field(max_length=253)] = Field("", description="a host name of your own")
    page_name: Line = Field("", description="the title in the browser; default: the name")
    dark_theme: Flag = False
    favicon: Image = ""
    logo: Image = ""
    redirect_to_https: Flag = False
    remove_branding: Flag = False
    robots_meta_contents: list[Literal[ROBOTS]] = Field([], max_length=len(ROBOTS))  # type: ignore[valid-type]
    website_url: Web = ""
    privacy_url: Web = ""
    support_url: Web = ""
    ga_tracking: Annotated[Text, _matches(_TRACKING, "must look like G-ABCD1234 or UA-1234-1")] = ""
    ip_addresses: list[Annotated[Text, AfterValidator(_network)]] = Field([], max_length=100)
    subscription_enabled: Flag = False
    components: list[ComponentBody] = Field([], max_length=MOST_COMPONENTS, description="those outside of groups")
    groups: list[GroupBody] = Field([], max_length=MOST_COMPONENTS)
    timezone: Zone = Field("UTC", description="our extension: of days and times")
    language: Literal["auto", "en", "de"] = Field("auto", description="our extension")
    theme: Literal["auto", "light", "dark"] | None = Field(None, description="our extension; it wins over dark_theme")
    accent_color: Annotated[Text, _matches(_COLOR, "must look like #0066cc")] = Field("", description="our extension")
    failing_first: Flag = Field(default=False, description="our extension: what fails is shown first")
    auto_incidents: Flag = Field(default=False, description="our extension: outages open incidents by themselves")
    auto_incident_delay: Int = Field(180, ge=0, le=86_400, description="our extension: seconds")
    notify_edits: Flag = Field(default=False, description="our extension: subscribers hear of edits")

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, in our words."""
        apart = {"components", "groups", "password", "update_password"}
        return self.model_dump(include=self.model_fields_set - apart)

    def arrangement(self) -> tuple[list[Wanted] | None, list[WantedGroup] | None]:
        """The components outside of groups, and the groups; None for what was not sent."""
        sent = self.model_fields_set
        components = [each.wanted() for each in self.components] if "components" in sent else None
        groups = [each.wanted() for each in self.groups] if "groups" in sent else None
        return components, groups


class CreatePage(UpdatePage):
    """A page to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Statuspage name",
                    "description": "Statuspage description",
                    "subdomain": "acme",
                    "type": "public",
                    "subscription_enabled": True,
                    "components": [
                        {
                            "name": "Component name",
                            "description": "Component description",
                            "status": "operational",
                            "type": "resource",
                            "resource_id": "c03b02ec-244f-4d2c-8f68-3910071ed5c8",
                        }
                    ],
                    "groups": [{"name": "Group name", "components": [{"name": "By hand", "type": "manual"}]}],
                }
            ]
        }
    )

    name: Name
    description: Text = Field(max_length=2000)
    subdomain: Annotated[Text, AfterValidator(_subdomain)]
    type: Literal["public", "private"]


class Enabled(BaseModel):
    """Whether a page is shown."""

    enabled: Flag
