"""The kinds of channels and integrations, and how their configurations are read, unchanged and opened."""

import re
from typing import Any

import msgspec

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_common.origin import same_place
from pinghome_common.secret import seal, unseal
from pinghome_delivery.apprise import Apprise
from pinghome_delivery.email import Email
from pinghome_delivery.message import Kind
from pinghome_delivery.slack import Slack
from pinghome_delivery.statuspage_io import StatuspageIo
from pinghome_delivery.webhook import Webhook

CHANNELS: dict[str, Any] = {"apprise": Apprise, "email": Email, "webhook": Webhook}
INTEGRATIONS: dict[str, Any] = {"email": Email, "slack": Slack, "statuspageIo": StatuspageIo, "webhook": Webhook}


def read(kind: str, config: Any) -> Kind:
    """A configuration as a client sent it.

    Raises:
        Invalid: naming the field, as `config.<field>`.
    """
    try:
        found: Kind = msgspec.convert(config, CHANNELS[kind])
    except msgspec.ValidationError as error:
        raise Invalid(_field_error(str(error))) from None
    if b"\\u0000" in msgspec.json.encode(found):
        raise Invalid(FieldError("config", "must not contain the character NUL"))
    return found


def sealed(key: bytes, kind: Kind) -> bytes:
    """A configuration as it is stored."""
    return seal(key, msgspec.json.encode(kind))


def opened(key: bytes, of: Channel | Integration) -> Kind:
    """The configuration of a channel or an integration."""
    type_ = CHANNELS[of.kind] if isinstance(of, Channel) else INTEGRATIONS[of.type]
    kind: Kind = msgspec.json.decode(unseal(key, of.sealed), type=type_)
    return kind


def merged(old: Kind, shown: dict[str, str | list[str]], sent: dict[str, Any], mask: str) -> dict[str, Any]:
    """A configuration of which a client sent some fields; a mask sent back means unchanged (contract F).

    Raises:
        Invalid: a mask where there was none, or in place of a secret that would go to another host.
    """
    before = msgspec.to_builtins(old)
    found = dict(before)
    for name, value in sent.items():
        if isinstance(value, str) and mask in value:
            if shown.get(name) != value:
                raise Invalid(FieldError(f"config.{name}"[:200], "there is no earlier value to keep"))
        else:
            found[name] = value
    unchanged = "secret" in found and sent.get("secret", mask) == mask
    if unchanged and not same_place(before["url"], str(found["url"])):
        raise Invalid(FieldError("config.secret", "has to be sent anew, for the URL leads to another host"))
    return found


def _field_error(message: str) -> FieldError:
    """What msgspec says, in our form."""
    problem, _, path = message.partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`"))
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", problem):
        return FieldError(f"config.{missing[1]}", "is required")
    place = re.sub(r"[^\w.]", "", place)[:100]
    return FieldError(f"config{place}", f"{problem[:1].lower()}{problem[1:]}".replace("`", "")[:200])
