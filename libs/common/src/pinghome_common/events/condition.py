"""A condition that an answer must meet, with its JSON paths and regular expressions (contract A.1)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

JSON, BODY, STATUS, TIME, HEADER = (f"response-{what}-check" for what in ("json", "body", "status", "time", "header"))
TYPES = (JSON, BODY, STATUS, TIME, HEADER)
KEYED = (JSON, HEADER)
OPERATORS = (
    "equal", "not-equal", "contains", "not-contains", "greater-than", "less-than", "exists", "not-exists", "regex",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Condition:
    """What an answer must match: any of `values`, at `key` (a JSON path or a header's name) if the type has one."""

    type: str
    operator: str
    values: list[str] = field(default_factory=list)
    key: str = ""


_STEP = re.compile(
    r"""\.?([^.\[\]"'*\s]+)|\[(-?\d{1,9})\]|\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\]|\.?\*|\[\*\]"""
)
_ESCAPED = re.compile(r"""\\(["'\\])""")


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str | int | None, ...]:
    """A path such as `groups.user[0].name`, `$["a b"][*].id` as names, indexes, and None for all.

    In a quoted name, a backslash escapes a quote or a backslash.

    Raises:
        ValueError: it is not a valid path.
    """
    at, found = (1 if path.startswith("$") else 0), []
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(f"is not a valid path such as groups.user[0].name (at character {at + 1})")
        name, index, *quoted = step.groups()
        key = next((_ESCAPED.sub(r"\1", it) for it in quoted if it is not None), name)
        found.append(int(index) if index else key)
        at = step.end()
    return tuple(found)


_QUIET: Any = re2.Options()
_QUIET.log_errors = False  # otherwise RE2 writes the expression to stderr


@lru_cache(maxsize=1024)
def pattern(expression: str) -> Any:
    """A compiled RE2 expression, which takes linear time (reliability.md S12).

    Raises:
        ValueError: RE2 does not accept it.
    """
    compile_: Any = re2.compile
    try:
        return compile_(expression, _QUIET)
    except re2.error as error:
        reason = b"".join(part for part in error.args if isinstance(part, bytes)).decode("utf-8", "replace")
        raise ValueError(f"is not a valid RE2 expression: {reason[:100]}") from None
