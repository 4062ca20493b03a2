"""Maintenance that comes again: rules of RFC 5545 in a time zone; no I/O, the time is an argument."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.incident import Maintenance, Recurrence
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.maintenance import maintenance
from statuspage_cmd.pages import components

AHEAD = timedelta(days=30)
"""How far ahead occurrences are maintenances of their own."""

TOLD = timedelta(days=1)
"""How long before they begin subscribers are told of them; of the first one at once."""

TIMES = frozenset(("rrule", "timezone", "scheduled_for", "duration"))
"""Fields that decide when occurrences are."""

_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d{0,3}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
    "BYDAY": r"([+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU),?){1,31}",
    **dict.fromkeys(("BYMONTHDAY", "BYMONTH", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"), r"(-?\d{1,3},?){1,31}"),
}


def create(id_: UUID, page: StatusPage, settings: dict[str, Any], by: str, now: datetime) -> Recurrence:
    """A new recurrence; `scheduled_for` says when the rule begins, and at which time of the day.

    Raises:
        Invalid: the rule is none, or never comes true; it names what is not the page's.
    """
    it = Recurrence(
        id=id_, organisation=page.organisation, page=page.id, reported_by=by, created_at=now, updated_at=now, **settings
    )
    components.check(page, it.components)
    return _checked(it)


def edit(it: Recurrence, page: StatusPage, settings: dict[str, Any], now: datetime) -> Recurrence:
    """The recurrence with other settings.

    Raises:
        Invalid: the rule is none, or never comes true; it names what is not the page's.
    """
    if "components" in settings:
        components.check(page, settings["components"])
    it = replace(it, **settings, updated_at=now)
    return _checked(it) if TIMES & settings.keys() else it


def starts(it: Recurrence, since: datetime) -> Iterator[datetime]:
    """When occurrences begin, from a time on: at the same time of the day in summer and in winter.

    A time that the clock skips is counted as if it had not been changed, one that comes twice is the first (RFC 5545).
    """
    zone = ZoneInfo(it.timezone)
    parts = _parts(it.rrule)
    if "UNTIL" in parts:
        parts["UNTIL"] = _local(parts["UNTIL"], zone)
    for local in _rule(parts, it.scheduled_for.astimezone(zone).replace(tzinfo=None)):
        if local.year == MAXYEAR:
            return
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if at >= since:
            yield at


def plan(it: Recurrence, since: datetime, generation: int, now: datetime) -> tuple[list[Maintenance], datetime | None]:
    """The occurrences that begin from a time on until `AHEAD`, and when the first one after them does.

    Those that are over already are left out. A rule whose times have changed is of another generation, so that ids of
    occurrences that were deleted do not come again.
    """
    made: list[Maintenance] = []
    for at in starts(it, since):
        if at > now + AHEAD:
            return made, at
        if at + timedelta(minutes=it.duration) > now:
            made.append(_occurrence(it, at, generation, now))
    return made, None


def with_texts(it: Maintenance, rule: Recurrence, now: datetime) -> Maintenance:
    """An occurrence with what its rule says now, but for its times."""
    return replace(
        it, title=rule.title, message=rule.message, components=rule.components, notify=rule.notify,
        silence_alerts=rule.silence_alerts, updated_at=now,
    )  # fmt: skip


def _occurrence(it: Recurrence, at: datetime, generation: int, now: datetime) -> Maintenance:
    made = Maintenance(
        id=uuid5(it.id, f"{generation} {at.isoformat()}"), organisation=it.organisation, page=it.page,
        title=it.title, message=it.message, components=it.components, notify=it.notify, reported_by=it.reported_by,
        silence_alerts=it.silence_alerts, scheduled_for=at, ends_at=at + timedelta(minutes=it.duration),
        recurrence=it.id, created_at=now, updated_at=now,
    )  # fmt: skip
    return maintenance.by_clock(made, now) if at <= now else made


def _checked(it: Recurrence) -> Recurrence:
    """The recurrence, once its rule has been tried.

    A rule that never comes true makes dateutil search until the year 9999, for a quarter of a minute. So it is tried
    first in a year near that end whose days are those of the rule's first year.
    """
    start = it.scheduled_for.astimezone(ZoneInfo(it.timezone)).replace(tzinfo=None)
    alike = next(year for year in range(9985, 9900, -1) if _days(year) == _days(start.year))
    parts = _parts(it.rrule)
    endless = {name: value for name, value in parts.items() if name not in {"COUNT", "UNTIL"}}
    if not any(_rule(endless, start.replace(year=alike))) or not any(starts(it, it.scheduled_for)):
        raise Invalid(FieldError("rrule", "never comes true"))
    return it


def _days(year: int) -> tuple[int, bool]:
    """What the dates of a year depend on: its first weekday, and whether it is a leap year."""
    return calendar.weekday(year, 1, 1), calendar.isleap(year)


def _parts(text: str) -> dict[str, str]:
    pairs = [each.partition("=")[::2] for each in text.removeprefix("RRULE:").split(";")]
    parts = dict(pairs)
    known = all(name in _PARTS and re.fullmatch(_PARTS[name], value, re.ASCII) for name, value in pairs)
    if not known or len(parts) < len(pairs) or "FREQ" not in parts:
        raise Invalid(FieldError("rrule", f"must be a rule such as FREQ=WEEKLY;BYDAY=SU, of {', '.join(_PARTS)}"))
    return parts


def _rule(parts: dict[str, str], start: datetime) -> rrule:
    try:
        return rrulestr(";".join(f"{name}={value.strip(',')}" for name, value in parts.items()), dtstart=start)  # type: ignore[return-value]  # of one rule it makes no set
    except ValueError as error:
        raise Invalid(FieldError("rrule", f"is not a rule of RFC 5545: {error}")) from None


def _local(until: str, zone: ZoneInfo) -> str:
    """The end of a rule in its own zone; a date is the end of that day."""
    if "T" not in until:
        return until + "T235959"
    if not until.endswith("Z"):
        return until
    try:
        at = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return at.astimezone(zone).strftime("%Y%m%dT%H%M%S")
    except (ValueError, OverflowError):
        raise Invalid(FieldError("rrule", "UNTIL is not a time")) from None
