"""Evaluates conditions on an observation; pure, and bounded in time for any input."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from pinghome_common.events import condition
from pinghome_common.events.condition import Condition, pattern, steps
from prober.answer import MISSING, Answer, once
from prober.budget import SECONDS, Budget, OverBudgetError
from prober.probes.probe_types import Observation

NEGATIVE = ("not-equal", "not-contains", "not-exists")
OVER_BUDGET = f"it could not be evaluated within {SECONDS:g} s of CPU time"
_REGEX_STEPS = 100_000_000  # at most a second; an expression of up to 95 steps can search 1 MiB
_WHOLE = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one condition; `found` is the value, or why the condition could not be evaluated."""

    condition: Condition
    holds: bool
    found: str
    evaluated: bool = True

    @property
    def sentence(self) -> str:
        """The outcome as a sentence for the user."""
        return f"{describe(self.condition)}: {'found ' if self.evaluated else ''}{self.found[:200]}"


def describe(it: Condition) -> str:
    """A condition in words, at most 200 characters."""
    subject = f"{it.type} {it.key}".strip()
    return f"{subject} {it.operator} {' or '.join(it.values)}".strip()[:200]


def first_failure(conditions: Sequence[Condition], seen: Observation) -> Outcome | None:
    """The first condition that does not hold or cannot be evaluated; None if all hold."""
    return next((it for it in outcomes(conditions, seen) if not it.holds), None)


def outcomes(conditions: Sequence[Condition], seen: Observation) -> Iterator[Outcome]:
    """Evaluates each condition; one that cannot be evaluated does not hold, whatever its operator."""
    answer, budget = Answer(seen), Budget()
    for it in conditions:
        try:
            budget.check()
            yield _evaluate(it, answer, seen, budget)
        except OverBudgetError:
            yield Outcome(it, holds=False, found=OVER_BUDGET, evaluated=False)
        except (ValueError, KeyError):  # an invalid path or expression, an operator of a newer release
            yield Outcome(it, holds=False, found="this prober does not support the condition", evaluated=False)


def _evaluate(it: Condition, answer: Answer, seen: Observation, budget: Budget) -> Outcome:
    if reason := _unreadable(it, answer):
        return Outcome(it, holds=False, found=reason, evaluated=False)
    found = _parts(it, answer, seen)
    holds_here = holds(it.operator, it.values, found, budget)
    if not holds_here and it.type == condition.BODY and it.operator not in NEGATIVE:
        if it.operator == "regex" and len(answer.text) > (limit := min(map(_search_limit, it.values), default=0)):
            reason = f"not within the first {limit >> 10} KiB, the search limit of such a large expression"
            return Outcome(it, holds=False, found=reason, evaluated=False)
        if answer.cut:
            return Outcome(it, holds=False, found="not within the first MiB of the answer", evaluated=False)
    return Outcome(it, holds=holds_here, found=_summary(found))


def _unreadable(it: Condition, answer: Answer) -> str:
    """Why a condition cannot be evaluated; empty if it can."""
    if it.type in (condition.JSON, condition.BODY) and answer.problem:
        return answer.problem
    if it.type != condition.JSON or answer.document is not MISSING:
        return ""
    if not answer.body.strip():
        return "the answer is empty, not JSON"
    return "the answer is longer than 1 MiB, too long for JSON" if answer.cut else "the answer is not JSON"


def _parts(it: Condition, answer: Answer, seen: Observation) -> list[Any]:
    """The values that a condition refers to; empty if the answer has no such part."""
    match it.type:
        case condition.JSON:
            return find(answer.document, it.key)
        case condition.HEADER:
            name = it.key.lower().encode("latin-1", "replace")
            return [value.decode("latin-1") for key, value in seen.headers if key.lower() == name]
        case condition.STATUS:
            return [seen.status_code]
        case condition.TIME:
            return [seen.phases.total]
        case _:
            return [answer.text]


def find(document: Any, path: str) -> list[Any]:
    """The values at a path, at most 1,000; empty if there are none."""
    values = [] if document is MISSING else [document]
    for step in steps(path):
        children: list[Any] = []
        for value in values:
            if step is None:
                children += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
            elif isinstance(value, dict) and str(step) in value:
                children.append(value[str(step)])
            elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
                children.append(value[step])
        values = children[:1000]
    return values


def holds(operator: str, expected: Sequence[str], found: Sequence[Any], budget: Budget | None = None) -> bool:
    """True if the values found satisfy an operator with any of the expected values (contract A.1).

    Raises:
        OverBudgetError: the budget is used up.
    """
    if operator in ("exists", "not-exists"):
        return bool(found) is (operator == "exists")
    meets = _MEETS[operator.removeprefix("not-")]
    met = False
    for value in found:
        plain = value if isinstance(value, list | dict) and operator.endswith("contains") else _Plain(value)
        for each in expected:
            if budget:
                budget.check()
            met = met or meets(plain, each)
    return met is not operator.startswith("not-")


class _Plain:
    """A value with its text, which is computed once for all comparisons."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @once
    def text(self) -> str:
        return _text(self.value)

    @once
    def encoded(self) -> bytes:
        return self.text.encode()


def _text(value: Any) -> str:
    """A value as a user would write it: text unchanged, everything else as JSON."""
    return value if isinstance(value, str) else to_json(value).decode()


def _number(value: Any) -> int | float | None:
    """The number that a value is or spells; None if it is not a number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = value.strip() if isinstance(value, str) and len(value) < 1000 else ""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def _compare(value: Any, expected: str) -> int | None:
    one, two = _number(value), _number(expected)
    return None if one is None or two is None else (one > two) - (one < two)


def _equal(it: _Plain, expected: str) -> bool:
    return it.text == expected or (not isinstance(it.value, str) and _compare(it.value, expected) == 0)


def _contains(it: Any, expected: str) -> bool:
    if isinstance(it, list):
        return any(_equal(_Plain(each), expected) for each in it)
    return expected in it if isinstance(it, dict) else expected in it.text


def _matches(it: _Plain, expression: str) -> bool:
    return pattern(expression).search(it.encoded[: _search_limit(expression)]) is not None


def _search_limit(expression: str) -> int:
    """Bytes that an expression may search: RE2 may need all its steps for each byte, and cannot be interrupted."""
    return int(_REGEX_STEPS // pattern(expression).programsize)


_MEETS: dict[str, Callable[[Any, str], bool]] = {
    "equal": _equal,
    "contains": _contains,
    "regex": _matches,
    "greater-than": lambda it, expected: _compare(it.value, expected) == 1,
    "less-than": lambda it, expected: _compare(it.value, expected) == -1,
}


def _summary(found: list[Any]) -> str:
    return ", ".join(_text(value)[:100] for value in found[:3]) if found else "nothing"
