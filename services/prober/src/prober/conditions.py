"""Evaluates conditions on what a probe observed; pure, and bounded in time for any input."""

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
OVER_BUDGET = f"it could not be judged within {SECONDS:g} s of computing time"
_REGEX_STEPS = 100_000_000  # at most a second; an expression of up to 95 steps is searched in 1 MiB
_WHOLE = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one condition; `found` is what was there, or why it could not be judged."""

    condition: Condition
    holds: bool
    found: str
    judged: bool = True

    @property
    def sentence(self) -> str:
        """For the user."""
        return f"{words(self.condition)}: {'found ' if self.judged else ''}{self.found[:200]}"


def words(it: Condition) -> str:
    """A condition in words, at most 200 characters."""
    what = f"{it.type} {it.key}".strip()
    return f"{what} {it.operator} {' or '.join(it.values)}".strip()[:200]


def first_failure(conditions: Sequence[Condition], seen: Observation) -> Judgement | None:
    """The first condition that an answer does not meet, or that cannot be judged; None when all hold."""
    return next((it for it in each_judged(conditions, seen) if not it.holds), None)


def each_judged(conditions: Sequence[Condition], seen: Observation) -> Iterator[Judgement]:
    """Every condition with its own verdict; one that cannot be judged does not hold, whatever its operator."""
    answer, budget = Answer(seen), Budget()
    for it in conditions:
        try:
            budget.check()
            yield _judge(it, answer, seen, budget)
        except OverBudgetError:
            yield Judgement(it, holds=False, found=OVER_BUDGET, judged=False)
        except (ValueError, KeyError):  # no path, no expression, an operator of a newer release
            yield Judgement(it, holds=False, found="this prober cannot read the condition", judged=False)


def _judge(it: Condition, answer: Answer, seen: Observation, budget: Budget) -> Judgement:
    if reason := _unreadable(it, answer):
        return Judgement(it, holds=False, found=reason, judged=False)
    found = _parts(it, answer, seen)
    held = holds(it.operator, it.values, found, budget)
    if not held and it.type == condition.BODY and it.operator not in NEGATIVE:
        if it.operator == "regex" and len(answer.text) > (most := min(map(_most, it.values), default=0)):
            reason = f"not within the first {most >> 10} KiB, the most that so large an expression is searched in"
            return Judgement(it, holds=False, found=reason, judged=False)
        if answer.cut:
            return Judgement(it, holds=False, found="not within the first MiB of the answer", judged=False)
    return Judgement(it, holds=held, found=_words(found))


def _unreadable(it: Condition, answer: Answer) -> str:
    """Why a condition cannot be judged on an answer; empty when it can."""
    if it.type in (condition.JSON, condition.BODY) and answer.problem:
        return answer.problem
    if it.type != condition.JSON or answer.document is not MISSING:
        return ""
    if not answer.body.strip():
        return "the answer is empty, not JSON"
    return "the answer is longer than 1 MiB, too long for JSON" if answer.cut else "the answer is not JSON"


def _parts(it: Condition, answer: Answer, seen: Observation) -> list[Any]:
    """The values that a condition speaks of; none when there is no such part."""
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


def holds(operator: str, wanted: Sequence[str], found: Sequence[Any], budget: Budget | None = None) -> bool:
    """True when the values found meet an operator; several wanted values mean any of them (contract A.1).

    Raises:
        OverBudgetError: the budget is spent.
    """
    if operator in ("exists", "not-exists"):
        return bool(found) is (operator == "exists")
    meets = _MEETS[operator.removeprefix("not-")]
    met = False
    for value in found:
        plain = value if isinstance(value, list | dict) and operator.endswith("contains") else _Plain(value)
        for want in wanted:
            if budget:
                budget.check()
            met = met or meets(plain, want)
    return met is not operator.startswith("not-")


class _Plain:
    """A value, and its text, which is made once however many texts it is compared with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @once
    def text(self) -> str:
        return _text(self.value)

    @once
    def encoded(self) -> bytes:
        return self.text.encode()


def _text(value: Any) -> str:
    """A value as a user would write it: JSON's true, false and null, numbers plainly, text as it is."""
    return value if isinstance(value, str) else to_json(value).decode()


def _number(value: Any) -> int | float | None:
    """A number, exact where it is whole, as JSON writes one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = value.strip() if isinstance(value, str) and len(value) < 1000 else ""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def _compare(value: Any, want: str) -> int | None:
    one, two = _number(value), _number(want)
    return None if one is None or two is None else (one > two) - (one < two)


def _equal(it: _Plain, want: str) -> bool:
    return it.text == want or (not isinstance(it.value, str) and _compare(it.value, want) == 0)


def _contains(it: Any, want: str) -> bool:
    if isinstance(it, list):
        return any(_equal(_Plain(each), want) for each in it)
    return want in it if isinstance(it, dict) else want in it.text


def _matches(it: _Plain, want: str) -> bool:
    return pattern(want).search(it.encoded[: _most(want)]) is not None


def _most(expression: str) -> int:
    """Bytes that an expression is searched in: RE2 may take each of its steps for each byte, and cannot be stopped."""
    return int(_REGEX_STEPS // pattern(expression).programsize)


_MEETS: dict[str, Callable[[Any, str], bool]] = {
    "equal": _equal,
    "contains": _contains,
    "regex": _matches,
    "greater-than": lambda it, want: _compare(it.value, want) == 1,
    "less-than": lambda it, want: _compare(it.value, want) == -1,
}


def _words(found: list[Any]) -> str:
    return ", ".join(_text(value)[:100] for value in found[:3]) if found else "nothing"
