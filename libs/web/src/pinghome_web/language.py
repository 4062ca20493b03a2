"""Languages of pages: each is one file of a folder, with its words and how it writes dates and numbers."""

import datetime as dt
import json
from collections.abc import Container, Iterator
from math import floor, log10
from pathlib import Path
from typing import Any

DEFAULT = "en"

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


class Language:
    """One language; `language("bar", name=…)` is a text, `language("status.operational")` one of a family."""

    def __init__(self, words: dict[str, Any]) -> None:
        self._months: list[tuple[str, str]] = list(zip(words["months"], words["short_months"], strict=True))
        self.words = dict(_flat(words))
        self.code: str = words["locale"]

    def __call__(self, key: str, **values: object) -> str:
        """A text with values in their places."""
        found = self.words[key]
        return found.format(**values) if values else found

    def moment(self, at: dt.datetime, zone: dt.tzinfo) -> str:
        """A date and a time of day with the time zone's short name."""
        local = at.astimezone(zone)
        clock = {"hour": f"{local.hour:02}", "minute": f"{local.minute:02}", "zone": local.tzname()}
        return self("moment", **self._day(local), **clock)

    def until(self, begin: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> str:
        """The end of a time span: without its date, where that is the beginning's."""
        local = end.astimezone(zone)
        if local.date() != begin.astimezone(zone).date():
            return self.moment(end, zone)
        return f"{local.hour:02}:{local.minute:02}\N{NO-BREAK SPACE}{local.tzname()}"

    def date(self, day: dt.date | str) -> str:
        """A date; a text is one in ISO 8601."""
        return self("date", **self._day(dt.date.fromisoformat(day) if isinstance(day, str) else day))

    def month(self, month: str) -> str:
        """A month such as `2026-11`."""
        return self("month", **self._day(dt.date.fromisoformat(f"{month}-01")))

    def percent(self, value: float) -> str:
        """A percentage with at most two decimals, rounded down."""
        text = f"{floor(round(value * 100, 4)) / 100:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", self("decimal")) + "\N{NARROW NO-BREAK SPACE}%"

    def duration(self, seconds: float) -> str:
        """The two largest units of a time span."""
        left, parts = max(round(seconds), 0), []
        left = left if left < 60 else 60 * round(left / 60)
        for unit, size in _UNITS:
            count, left = divmod(left, size)
            if count:
                parts.append(f"{count}\N{NO-BREAK SPACE}{self(f'units.{unit}')}")
            elif parts:
                break
        return " ".join(parts[:2]) or f"0\N{NO-BREAK SPACE}{self('units.s')}"

    def milliseconds(self, value: float) -> str:
        """A response time, from ten seconds on in seconds."""
        unit, amount = ("s", value / 1000) if value >= 10_000 else ("ms", value)
        text = f"{amount:.1f}".removesuffix(".0") if amount < 10 or unit == "s" else f"{amount:.0f}"
        return text.replace(".", self("decimal")) + f"\N{NO-BREAK SPACE}{self(f'units.{unit}')}"

    def number(self, value: float) -> str:
        """A number with at most four digits, and all of those before its decimal point below a million."""
        value += 0.0  # without the sign of a zero
        if value and not 0.0001 <= abs(value) < 1_000_000:
            text = f"{value:.3g}"
        else:
            digits = max(3 - floor(log10(abs(value))), 0) if value else 0
            text = f"{value:.{digits}f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace(".", self("decimal")).replace("-", "\N{MINUS SIGN}")

    def _day(self, day: dt.date) -> dict[str, object]:
        month, short = self._months[day.month - 1]
        return {"day": day.day, "year": day.year, "month": month, "short_month": short}


def _flat(words: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield prefix + name, value


def load(folder: Path) -> dict[str, Language]:
    """The languages of a folder, by code."""
    return {path.stem: Language(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))}


def chosen(setting: str, accepted: str, languages: Container[str]) -> str:
    """The code of the language of an answer.

    Args:
        setting: the page's: `auto` leaves it to the visitor.
        accepted: the header Accept-Language.
        languages: the codes of those that there are.
    """
    if setting in languages:
        return setting
    wishes = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, weight = part.partition(";")
        try:
            rank = float(weight.partition("q=")[2] or 1)
        except ValueError:
            continue
        wishes.append((-rank, place, tag.strip().partition("-")[0].lower()))
    return next((tag for rank, _, tag in sorted(wishes) if rank < 0 and tag in languages), DEFAULT)
