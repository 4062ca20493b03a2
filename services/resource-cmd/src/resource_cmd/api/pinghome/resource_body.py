"""What a client may say of an uptime monitor: contract A.1, pinghome-monitoring.txt lines 30 to 110 and 240 to 280."""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError, from_json

from pinghome_common import cron
from pinghome_common.dialects.pinghome import MASK
from pinghome_common.dialects.pinghome_fields import Flag, Id, Int, Name, Tags, Text
from pinghome_common.events import condition
from resource_cmd.api.pinghome.channel_body import ChannelIds
from resource_cmd.monitors.target import ALIASES, PORTS
from resource_cmd.scheduling.regions import NAME as REGION

INTERVALS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}", re.ASCII)
Region = Annotated[Text, Field(max_length=50)]
_OURS = {"host", "content-length", "transfer-encoding", "connection", "metadata-flavor", "x-aws-ec2-metadata-token"}


def _headers(value: Any) -> Any:
    """An object, or a JSON string of one: the document shows both (lines 91 and 264)."""
    if isinstance(value, str):
        try:
            value = from_json(value, allow_inf_nan=False) if value.strip() else {}
        except ValueError:
            raise PydanticCustomError("headers", "must be an object, or a JSON string of an object") from None
    if not isinstance(value, dict):
        raise PydanticCustomError("headers", "must be an object, or a JSON string of an object")
    if len(value) > 20 or len(json.dumps(value)) > 4096:
        raise PydanticCustomError("headers", "must be at most 20 headers and 4096 characters in all")
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise PydanticCustomError("headers", "has a name that is not allowed")
        if not isinstance(text, str) or not text.isprintable() or not text.isascii():
            raise PydanticCustomError("headers", "values must be printable ASCII strings")
    return {name: None if text == MASK else text for name, text in value.items()}


def _port(value: Any) -> Any:
    """A string or a number; empty means none."""
    if value == "" or value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise PydanticCustomError("port", "must be a port from 1 to 65535, or empty")
    return value


def _values(value: Any) -> Any:
    """Strings; numbers are taken and kept as strings (contract A.1)."""
    if isinstance(value, list):
        return [str(each) if isinstance(each, int | float) and not isinstance(each, bool) else each for each in value]
    return value


def _sound(check: Callable[[str], object], text: str) -> None:
    try:
        check(text)
    except ValueError as error:
        raise PydanticCustomError("unsound", "{what}", {"what": str(error)}) from None


class Demand(BaseModel):
    """A condition on the answer."""

    type: Text = Field(description=", ".join(condition.TYPES))
    operator: Text = Field(description=", ".join(condition.OPERATORS))
    values: Annotated[list[Annotated[Text, Field(max_length=1000)]], BeforeValidator(_values)] = Field(
        min_length=1, max_length=50, description="any of them"
    )
    key: Text = Field(
        "", max_length=200, validate_default=True, description="a path such as groups.user[0].name, or a header's name"
    )

    @field_validator("type", "operator")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        known = condition.TYPES if info.field_name == "type" else condition.OPERATORS
        if value not in known:
            raise PydanticCustomError("unknown", "must be one of " + ", ".join(known))
        return value

    @field_validator("values")
    @classmethod
    def _patterns(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("operator") == "regex":
            for expression in value:
                _sound(condition.pattern, expression)
        return value

    @field_validator("key")
    @classmethod
    def _path(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        if kind in condition.KEYED and not value:
            raise PydanticCustomError("key", "is required for this type")
        if kind == condition.JSON:
            _sound(condition.steps, value)
        return value

    def own(self) -> condition.Condition:
        """The same in our words."""
        return condition.Condition(type=self.type, operator=self.operator, values=self.values, key=self.key)


class UpdateResource(BaseModel):
    """A monitor's settings as a client may send them; an absent field is unchanged on PUT."""

    model_config = ConfigDict(extra="ignore")

    name: Name = Field("", description="1 to 255 characters")
    tags: Tags = []
    type: Text = Field(
        "http", description=f"{', '.join(PORTS)}; ping is icmp, pop3 is pop; a monitor's type does not change"
    )
    url: Text = Field(
        "",
        max_length=2048,
        description="http: the absolute http or https URL. dns: the server to ask, such as dns://192.0.2.53, "
        "else the region's own. Others: in place of host, such as tcp://example.com:5432",
    )
    host: Text = Field("", max_length=255, description="name or address; dns: the name that is asked")
    port: Annotated[int | None, BeforeValidator(_port)] = Field(
        None, description="tcp, udp: required; defaults: smtp 25, pop 110, imap 143, dns 53; 465, 995, 993 begin in TLS"
    )
    data: Text = Field(
        "",
        max_length=4096,
        description="http: a keyword that the answer's body must hold. tcp, udp: what is sent, with \\xNN, \\r, "
        "\\n, \\t, \\0 as bytes; udp must be answered. dns: the record type and, if wanted, the expected value, "
        "such as A 192.0.2.1",
    )
    grace_period: Int = Field(0, ge=0, le=10080, description="minutes a failure must last before the monitor is down")
    recovery_period: Int = Field(0, ge=0, le=10080, description="minutes of success before it is up again")
    maintenance_cron_expression: Text | None = Field(None, description="five fields, UTC; empty: none")
    maintenance_duration: Int = Field(0, ge=0, le=10080, description="minutes")
    skip_ssl_error: Flag = False
    not_follow_redirect: Flag = False
    max_redirects: Int = Field(10, ge=0, le=20, description="our extension: more than so many are a failure")
    method: Text = Field("GET", description=", ".join(METHODS))
    body: Text | None = Field(None, max_length=65536)
    is_advanced: Flag = False
    headers: Annotated[dict[str, str | None], BeforeValidator(_headers)] | None = None
    service_id: Id | None = None
    conditions: list[Demand] = Field([], max_length=200, description="all must hold; for http only")
    regions: list[Region] = Field([], min_length=1, max_length=50)
    interval: Literal[INTERVALS] = Field(60, description="our extension: seconds between checks")  # type: ignore[valid-type]
    channels: ChannelIds | None = Field(None, description="our extension: who is told; null: the service's channels")
    parent_id: Id | None = Field(None, description="our extension: the resource without which it is not reachable")

    @field_validator("type")
    @classmethod
    def _type(cls, value: str) -> str:
        value = ALIASES.get(value, value)
        if value not in PORTS:
            raise PydanticCustomError("type", f"must be one of {', '.join([*PORTS, *ALIASES])}")
        return value

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        """What no type takes; the rest depends on the type (`target.check`)."""
        if not value.isprintable() or " " in value:
            raise PydanticCustomError("url", "must be an absolute http or https URL without user and password")
        return value

    @field_validator("maintenance_cron_expression")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if not value:
            return None
        cron.check(value)
        return value

    @field_validator("method")
    @classmethod
    def _method(cls, value: str) -> str:
        if value.upper() not in METHODS:
            raise PydanticCustomError("method", "must be one of " + ", ".join(METHODS))
        return value.upper()

    @field_validator("regions")
    @classmethod
    def _regions(cls, value: list[str]) -> list[str]:
        if not all(REGION.fullmatch(region) for region in value):
            raise PydanticCustomError("regions", "must be names such as eu-central-1")
        return list(dict.fromkeys(value))


EXAMPLE: JsonDict = {
    "name": "Pinghome",
    "type": "http",
    "port": "",
    "data": "",
    "grace_period": 0,
    "recovery_period": 0,
    "maintenance_cron_expression": "*/8 * * * *",
    "maintenance_duration": 5,
    "skip_ssl_error": False,
    "not_follow_redirect": False,
    "method": "POST",
    "body": "param1=value1&param2=value2",
    "is_advanced": True,
    "headers": {"Authorization": "Bearer sometoken"},
    "service_id": "14ab74bf-87a0-4565-a291-ad5c9733c53f",
    "url": "https://website-stage.ping-home.com",
    "conditions": [
        {"values": ["pinghome"], "operator": "equal", "type": "response-json-check", "key": "groups.user[0].name"}
    ],
    "regions": ["eu-central-1"],
}
"""pinghome-monitoring.txt lines 75 to 100."""


class CreateResource(UpdateResource):
    """A monitor to be created."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    type: Text
    service_id: Id
    regions: list[Region] = Field(min_length=1, max_length=50)
