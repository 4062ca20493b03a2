"""Forms: what a field is called, how it is filled in, and which JSON it stands for, said once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from console.api import Away, Refused
from console.viewer import MASK, Posted

Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    Attributes:
        name: its name in the API.
        label: in English, the key of its translations.
        kind: how it is filled in: a name in `_READ`, and the macro of `fields.html` of this name.
        hint: a sentence below it.
        options: value and label of what there is to choose from; labels that are no names are translated.
        default: JSON of a new one.
        more: whether it is folded away with the others that few people need.
        secret: whether the API masks it, so that nothing repeats what is typed here; of the kind `secret` in any case.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    options: Options = ()
    default: Any = ""
    required: bool = False
    more: bool = False
    unit: str = ""
    example: str = ""
    least: int | None = None
    secret: bool = False


@dataclass
class Form:
    """A form as it is shown.

    Attributes:
        values: JSON by field, as the API shows and takes it.
        errors: sentences by field.
        message: a sentence about all of it.
        away: the service that could not be asked; the command may be sent again as it is.
        key: the command's Idempotency-Key, the same for a retry.
    """

    fields: Sequence[Field]
    values: Mapping[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    message: str = ""
    away: str = ""
    key: str = field(default_factory=lambda: str(uuid4()))

    @classmethod
    def of(cls, fields: Sequence[Field], document: Mapping[str, Any] | None = None) -> "Form":
        """A form about something that there is, or empty."""
        known = document or {}
        return cls(fields, {each.name: known.get(each.name, each.default) for each in fields})

    @classmethod
    def posted(cls, fields: Sequence[Field], posted: Posted) -> "Form":
        """A form as it was sent."""
        values = {each.name: _READ[each.kind](each.name, posted) for each in fields}
        return cls(fields, values, key=posted.one("key") or str(uuid4()))

    def body(self) -> dict[str, Any]:
        """What the API is sent; a secret that was left empty is not."""
        return {
            each.name: self.values[each.name]
            for each in self.fields
            if not (each.kind == "secret" and not self.values[each.name])
        }

    @property
    def secrets(self) -> str:
        """The names of its secrets."""
        return " ".join(each.name for each in self.fields if each.secret or each.kind == "secret")

    def refused(self, error: Refused | Away) -> "Form":
        """The same form with what was said against it, or without its secrets where the command was not carried out."""
        if isinstance(error, Away):
            self.away = error.service
            self.values = {
                name: _bare(value) if name in self.secrets.split() else value for name, value in self.values.items()
            }
            return self
        names = {each.name for each in self.fields}
        for path, sentence in error.errors.items():
            name, *rest = [part for part in path.split(".") if part not in ("body", "config")] or [path]
            place = f"{int(rest[0]) + 1}: " if rest and rest[0].isdigit() else ""
            if name in names:
                self.errors[name] = place + sentence
            else:
                self.message = f"{path}: {sentence}"
        if not self.errors and not self.message:
            self.message = error.message
        self.key = str(uuid4())
        return self

    @property
    def status(self) -> int:
        """Of the answer that shows it."""
        return 503 if self.away else 422 if self.errors or self.message else 200


def _bare(value: Any) -> Any:
    """A secret without what was typed: masks, which stand for what is stored, and names of headers stay."""
    if isinstance(value, dict):
        return {name: _bare(text) for name, text in value.items()}
    return value if MASK in value else ""


def _lines(name: str, posted: Posted) -> list[str]:
    return [line.strip() for line in posted.one(name).split("\n") if line.strip()]


def _whole(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return text  # the API says what is wrong with it


def _number(name: str, posted: Posted) -> Any:
    return _whole(posted.one(name).strip()) or 0


def _decimal(text: str) -> Any:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _headers(name: str, posted: Posted) -> dict[str, str]:
    pairs = (line.partition(":") for line in _lines(name, posted))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _rows(name: str, posted: Posted, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table whose first column says whether a row is there at all."""
    cells = [posted.all(f"{name}.{column}") for column in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=False) if row[0]]


def _conditions(name: str, posted: Posted) -> list[dict[str, Any]]:
    rows = _rows(name, posted, ("type", "key", "operator", "values"))
    return [row | {"values": [each.strip() for each in row["values"].split("|")]} for row in rows]


def _thresholds(name: str, posted: Posted) -> list[dict[str, Any]]:
    found = []
    for row in _rows(name, posted, ("what", "operator", "value", "minutes")):
        type_, _, part = row["what"].partition(" ")
        minutes = int(row["minutes"]) if row["minutes"].isdigit() else row["minutes"] or 0
        bound = {"operator": row["operator"], "value": _decimal(row["value"]), "minutes": minutes}
        found.append({"type": type_, "field": part} | bound)
    return found


def _channels(name: str, posted: Posted) -> list[str] | None:
    return posted.all(name) if posted.one(f"{name}.whose") == "own" else None


def _moment(name: str, posted: Posted) -> str | None:
    """A local time of the viewer's zone, which the script names; without it UTC."""
    text = posted.one(name)
    if not text:
        return None
    try:
        zone = ZoneInfo(posted.one("zone", "UTC"))
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC).isoformat()
    except (ValueError, OSError):
        return text


def _text(name: str, posted: Posted) -> Any:
    return posted.one(name).strip()


def picked(name: str, posted: Posted) -> str | None:
    """What is chosen by its name: what it was while the name is the same, else the name; None for nothing."""
    text = posted.one(name).strip()
    was, _, known = posted.one(f"{name}.was").partition(" ")
    return was if text and text.split() == known.split() else text or None


def _chosen(name: str, posted: Posted) -> Any:
    return posted.one(name) or None


_READ: dict[str, Callable[[str, Posted], Any]] = {
    "text": _text,
    "web": _text,
    "secret": _text,
    "color": _text,
    "zone": _text,
    "choice": _text,
    "optional": _chosen,
    "pick": picked,
    "area": lambda name, posted: posted.one(name),
    "number": _number,
    "seconds": _number,
    "flag": lambda name, posted: posted.has(name),
    "days": lambda name, posted: [_whole(each) for each in posted.one(name).replace(",", " ").split()],
    "many": lambda name, posted: posted.all(name),
    "words": lambda name, posted: posted.one(name).replace(",", " ").split(),
    "lines": _lines,
    "headers": _headers,
    "conditions": _conditions,
    "thresholds": _thresholds,
    "channels": _channels,
    "moment": _moment,
}
