"""Fields of bodies in PingPong's dialect, read and refused as Django REST Framework does (contract C.1)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any, TypeVar
from uuid import UUID

from pinghome_common.dialects.pingpong import Bad, long
from pinghome_common.html import clean, quoted
from pinghome_common.settings import LONGEST_MESSAGE, MOST_COMPONENTS
from pinghome_common.text import clean as clean_text

REFUSED = object()
"""In place of what null means: it is not allowed."""

T = TypeVar("T")

Read = Callable[[Any], Any]


class Wrong(Exception):
    """What is wrong with a value: a list of sentences, or of what is wrong with each item of a list."""

    def __init__(self, *errors: Any) -> None:
        super().__init__(*errors)
        self.errors = [*errors]


@dataclass(frozen=True, slots=True)
class Field:
    """How a field is read, its name in our words, and what null means."""

    read: Read
    name: str
    null: Any = REFUSED
    required: bool = False


def read(document: Mapping[str, Any], fields: Mapping[str, Field], *, partial: bool) -> dict[str, Any]:
    """What a body says, in our words; keys that are no fields are ignored.

    Args:
        document: the body.
        fields: by their names in the dialect.
        partial: whether even required fields may be absent, as in an update.

    Raises:
        Bad: fields that are missing or wrong, all of them.
    """
    found: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in document:
            if field.required and not partial:
                errors[name] = ["This field is required."]
            continue
        value = document[name]
        try:
            found[field.name] = _null(field.null) if value is None else field.read(value)
        except Wrong as wrong:
            errors[name] = wrong.errors
    if errors:
        raise Bad(errors)
    return found


def _null(meaning: Any) -> Any:
    if meaning is REFUSED:
        raise Wrong("This field may not be null.")
    return meaning


def text(most: int, *, blank: bool = False, lines: bool = False) -> Read:
    """A text of at most so many characters, without white space around it; with `lines` it may have several."""

    def parse(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise Wrong("Not a valid string.")
        it = str(value).strip()
        if not it and not blank:
            raise Wrong("This field may not be blank.")
        if len(it) > most:
            raise Wrong(f"Ensure this field has no more than {most} characters.")
        if "\0" in it:
            raise Wrong("Null characters are not allowed.")
        return clean_text(it, most, lines=lines)

    return parse


def html(value: Any) -> str:
    """HTML, cleaned; without tags it becomes plain text."""
    it = text(LONGEST_MESSAGE, blank=True, lines=True)(value)
    return clean(it) if "<" in it else quoted(unescape(it))


def choice(words: Mapping[str, T]) -> Callable[[Any], T]:
    """One of some words, in any case."""
    known = {word.lower(): meaning for word, meaning in words.items()}

    def parse(value: Any) -> T:
        found = known.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise Wrong(f'"{str(value)[:100]}" is not a valid choice.')
        return found

    return parse


_TRUE = {"t", "y", "yes", "true", "on", "1"}
_FALSE = {"f", "n", "no", "false", "off", "0"}


def boolean(value: Any) -> bool:
    """True or false, also as a word or as 1 and 0."""
    word = str(value).lower() if isinstance(value, (bool, int, str)) else ""
    if word not in _TRUE | _FALSE:
        raise Wrong("Must be a valid boolean.")
    return word in _TRUE


def time(value: Any) -> datetime:
    """An ISO 8601 time; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC) if at else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise Wrong(
            "Datetime has wrong format. Use one of these formats instead:"
            " YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        )
    if not 2000 <= at.year < 2200:
        raise Wrong("Datetime value out of range.")
    return at


def one_of(ids: Collection[UUID]) -> Callable[[Any], UUID]:
    """The id of one of some things."""

    def parse(value: Any) -> UUID:
        if not isinstance(value, str):
            raise Wrong(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
        found = long(value)
        if found is None or found not in ids:
            raise Wrong(f'Invalid pk "{value[:100]}" - object does not exist.')
        return found

    return parse


def many(item: Read) -> Callable[[Any], list[Any]]:
    """A list of at most as many items as a page has components; it names what is wrong with the first wrong one."""

    def parse(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong(f'Expected a list of items but got type "{type(value).__name__}".')
        if len(value) > MOST_COMPONENTS:
            raise Wrong(f"Ensure this field has no more than {MOST_COMPONENTS} elements.")
        return [item(each) for each in value]

    return parse


def objects(fields: Mapping[str, Field]) -> Callable[[Any], list[dict[str, Any]]]:
    """A list of objects, whose errors are listed item by item."""

    def parse(value: Any) -> list[dict[str, Any]]:
        items = many(lambda each: each)(value)
        found: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for each in items:
            try:
                found.append(_object(each, fields))
                errors.append({})
            except Bad as bad:
                errors.append(bad.errors)
        if any(errors):
            raise Wrong(*errors)
        return found

    return parse


def _object(value: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise Bad({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    return read(value, fields, partial=False)
