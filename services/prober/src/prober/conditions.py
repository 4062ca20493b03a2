"""What a user demands of an answer, judged on what a probe saw; pure, and bounded in time whatever it is given."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from pinghome_common.events.condition import Condition, pattern, steps
from prober.probes.check import Observation

MISSING = object()
"""There is no such part in the answer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The first condition that did not hold, and what was there instead."""

    condition: Condition
    found: str

    @property
    def sentence(self) -> str:
        """For the user."""
        return f"{words(self.condition)}: found {self.found[:200]}"


def words(it: Condition) -> str:
    """A condition in words, at most 200 characters."""
    what = f"{it.type} {it.key}".strip()
    return f"{what} {it.operator} {' or '.join(it.values)}".strip()[:200]


def first_failure(conditions: Sequence[Condition], seen: Observation) -> Failure | None:
    """The first condition that an answer does not meet; None when all hold."""
    answer = _Answer(seen)
    for condition in conditions:
        found = answer.parts(condition)
        if not holds(condition.operator, condition.values, found):
            return Failure(condition, _words(found))
    return None


def each_found(conditions: Sequence[Condition], seen: Observation) -> Iterator[tuple[Condition, bool, str]]:
    """Every condition with its own verdict and what was there, for who asks for more than the first failure."""
    answer = _Answer(seen)
    for condition in conditions:
        found = answer.parts(condition)
        yield condition, holds(condition.operator, condition.values, found), _words(found)[:200]


class _Answer:
    """The parts of an answer, each made when it is first asked for."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen
        self._json: Any = _unread
        self._text: str | None = None

    def parts(self, it: Condition) -> list[Any]:
        """The values that a condition speaks of; none when there is no such part."""
        match it.type:
            case "response-json-check":
                return find(self._document(), it.key)
            case "response-header-check":
                name = it.key.lower().encode("latin-1", "replace")
                return [value.decode("latin-1") for key, value in self._seen.headers if key.lower() == name]
            case "response-status-check":
                return [self._seen.status_code]
            case "response-time-check":
                return [self._seen.phases.total]
            case _:
                return [self._body()]

    def _body(self) -> str:
        if self._text is None:
            self._text = self._seen.body.decode("utf-8", "replace")
        return self._text

    def _document(self) -> Any:
        if self._json is _unread:
            try:
                self._json = from_json(self._seen.body)
            except ValueError:
                self._json = MISSING
        return self._json


_unread = object()


def find(document: Any, path: str) -> list[Any]:
    """The values at a path, at most 1,000; none when there is nothing."""
    values = [] if document is MISSING else [document]
    for step in steps(path):
        following: list[Any] = []
        for value in values:
            if step is None:
                following += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
            elif isinstance(value, dict) and str(step) in value:
                following.append(value[str(step)])
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                following.append(value[step])
        values = following[:1000]
    return values


def holds(operator: str, wanted: Sequence[str], found: Sequence[Any]) -> bool:
    """True when the values found meet an operator; several wanted values mean any of them (contract A.1)."""
    match operator:
        case "exists":
            return bool(found)
        case "not-exists":
            return not found
        case "not-equal":
            return not any(_equal(value, want) for value in found for want in wanted)
        case "not-contains":
            return not any(_contains(value, want) for value in found for want in wanted)
    meets: Callable[[Any, str], bool] = {
        "equal": _equal, "contains": _contains, "regex": _matches,
        "greater-than": lambda value, want: _compare(value, want) == 1,
        "less-than": lambda value, want: _compare(value, want) == -1,
    }[operator]  # fmt: skip
    return any(meets(value, want) for value in found for want in wanted)


def _text(value: Any) -> str:
    """A value as a user would write it: JSON's true, false and null, numbers plainly, text as it is."""
    return value if isinstance(value, str) else to_json(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _compare(value: Any, want: str) -> int | None:
    one, two = _number(value), _number(want)
    return None if one is None or two is None else (one > two) - (one < two)


def _equal(value: Any, want: str) -> bool:
    return _text(value) == want or (not isinstance(value, str) and _compare(value, want) == 0)


def _contains(value: Any, want: str) -> bool:
    if isinstance(value, list):
        return any(_equal(each, want) for each in value)
    return want in value if isinstance(value, dict) else want in _text(value)


def _matches(value: Any, want: str) -> bool:
    return pattern(want).search(_text(value)) is not None


def _words(found: list[Any]) -> str:
    return ", ".join(_text(value)[:100] for value in found[:3]) if found else "nothing"
