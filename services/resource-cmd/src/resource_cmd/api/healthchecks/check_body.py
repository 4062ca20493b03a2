"""What a body may say of a check, in the words and the order of Healthchecks' own messages (contract B.3)."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from pinghome_common.cron import LONGEST, check_schedule
from pinghome_common.dialects.healthchecks import DialectError, invalid
from pinghome_common.events.heartbeat import Heartbeat, slug_of
from resource_cmd.heartbeats.service_heartbeats import ANY_METHOD, Assignable

UNIQUE = ("name", "slug", "tags", "timeout", "grace")
SAME = {"timeout": "period"}
"""Our words for those of `unique` that are others."""
YEAR = 31_536_000


@dataclass(slots=True, kw_only=True)
class CheckBody:
    """What a body asks for: settings in our words, `channels` as it was sent, what an older check must share."""

    settings: dict[str, Any]
    channels: str | None
    same: dict[str, Any] | None

    def of(self, it: Heartbeat) -> dict[str, Any]:
        """Those settings that a check does not have yet; one that takes any verb keeps the list of them that it has."""
        found = {name: value for name, value in self.settings.items() if getattr(it, name) != value}
        if found.get("methods") == ANY_METHOD and it.methods != ["POST"]:
            del found["methods"]
        return found


def read(document: dict[str, Any], version: int) -> CheckBody:
    """What a body asks for.

    Raises:
        DialectError: 400, for the first field that is not what it must be.
    """
    sent = {
        name: rule(name, document[name])
        for name, rule in RULES.items()
        if name in document and (name != "slug" or version >= 3)
    }
    channels, unique = sent.pop("channels", None), sent.pop("unique", [])
    # A value that is asked to be the same and is not sent is nobody's: then there is no such check.
    same = {SAME.get(name, name): sent.get(name) for name in unique} or None
    if "schedule" in sent:
        sent.pop("timeout", None)
    elif "timeout" in sent:
        sent |= {"period": sent.pop("timeout"), "schedule": ""}
    if "name" in sent and version < 3:
        sent["slug"] = slug_of(sent["name"])
    return CheckBody(settings=sent, channels=channels, same=same)


def assigned(channels: str, there: Sequence[Assignable]) -> list[UUID]:
    """The channels that `channels` names: `*` for all, else a comma list of ids and names.

    Raises:
        DialectError: 400, for the first that names none or several.
    """
    if channels in ("", "*"):
        return [each.id for each in there] if channels else []
    named: dict[str, set[UUID]] = defaultdict(set)
    for each in there:
        named[str(each.id)].add(each.id)
        named[each.name].add(each.id)
    found: dict[UUID, None] = {}
    for name in channels.split(","):
        matching = named.get(name, set())
        if len(matching) != 1 or not name:
            problem = "empty" if not name else "non-unique" if matching else "invalid"
            raise DialectError(400, f"{problem} channel identifier{': ' + name if name else ''}")
        found |= dict.fromkeys(matching)
    return list(found)


def _text(name: str, value: Any, most: int | None = None) -> str:
    if not isinstance(value, str):
        raise invalid(f"{name} is not a string")
    if most is not None and len(value) > most:
        raise invalid(f"{name} is too long")
    if "\x00" in value:  # which PostgreSQL cannot keep
        raise invalid(f"{name} contains the character NUL")
    return value


def _seconds(name: str, value: Any) -> int:
    if not isinstance(value, int):  # true is 1, as it is there
        raise invalid(f"{name} is not a number")
    if not 60 <= value <= YEAR:
        raise invalid(f"{name} is too {'small' if value < 60 else 'large'}")
    return value


def _schedule(name: str, value: Any) -> str:
    try:
        check_schedule(_text(name, value, LONGEST))
    except ValueError as error:
        raise invalid(f"{name} {error}") from None
    return str(value)


@cache
def _zones() -> set[str]:
    return available_timezones() - {"localtime", "Factory"}


def _zone(name: str, value: Any) -> str:
    if _text(name, value) not in _zones():
        raise invalid(f"{name} is not a valid timezone")
    return str(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{name} is not a boolean")
    return value


def _methods(name: str, value: Any) -> list[str]:
    if value not in ("", "POST"):
        raise invalid(f"{name} has unexpected value")
    return ["POST"] if value else ANY_METHOD


def _slug(name: str, value: Any) -> str:
    if not re.fullmatch("[a-z0-9_-]*", _text(name, value, 100)):
        raise invalid(f"{name} does not match pattern")
    return str(value)


def _unique(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise invalid(f"{name} is not an array")
    if any(each not in UNIQUE for each in value):
        raise invalid(f"an item in '{name}' has unexpected value")
    return value


RULES: dict[str, Callable[[str, Any], Any]] = {
    "name": partial(_text, most=100),
    "slug": _slug,
    "desc": partial(_text, most=100_000),
    "tags": partial(_text, most=500),
    "timeout": _seconds,
    "grace": _seconds,
    "schedule": _schedule,
    "tz": _zone,
    "channels": partial(_text, most=100_000),
    "manual_resume": _flag,
    "methods": _methods,
    "subject": partial(_text, most=200),
    "subject_fail": partial(_text, most=200),
    "unique": _unique,
}
"""In the order in which they are looked at; unknown fields are ignored."""
