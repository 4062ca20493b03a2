"""Two hundred conditions of every operator on an answer of 100 KiB of JSON: the time that judging takes."""

import asyncio
import json
import time

from figures import at_most

from pinghome_common.events.condition import BODY, HEADER, JSON, OPERATORS, STATUS, TIME, Condition
from pinghome_common.events.probe import Phases
from prober.conditions import first_failure
from prober.probes.probe_types import Observation

FIGURES = {"ms": at_most(5)}
CONDITIONS, SIZE, TIMES = 200, 100 << 10, 50
VALUES = {
    "equal": "name 7", "not-equal": "nobody", "contains": "ame", "not-contains": "zzz", "greater-than": "0",
    "less-than": "9", "exists": "", "not-exists": "", "regex": "^na(m|n)e [0-9]+$",
}  # fmt: skip


async def measure(rounds):
    body, count = document()
    answer = Observation(
        status_code=7, body=body, headers=[(b"X-Name", b"name 7")], phases=Phases(total=7.0), complete=True
    )
    wanted = [condition(number, count) for number in range(CONDITIONS)]
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        for _ in range(TIMES):
            if failure := first_failure(wanted, answer):
                raise RuntimeError(failure.sentence)
        yield {"ms": (time.perf_counter() - begun) / TIMES * 1000, "KiB": len(body) / 1024}
        await asyncio.sleep(0)


def document() -> tuple[bytes, int]:
    """JSON of that size, and how many users there are in it."""
    users = [{"name": "name 7", "age": 7, "tags": ["red", "blue"], "note": "x" * 60} for _ in range(SIZE // 120)]
    body = json.dumps({"groups": {"user": users}}).encode()
    return body + b" " * (SIZE - len(body)), len(users)


def condition(number: int, count: int) -> Condition:
    """Every operator by turns; of five, one is on the body, the header, the status or the time."""
    operator = OPERATORS[number % len(OPERATORS)]
    kind = (HEADER, STATUS, TIME, BODY)[number // 5 % 4] if number % 5 == 4 else JSON
    value = VALUES[operator]
    key = {JSON: f"groups.user[{number * 7 % count}].name", HEADER: "x-name"}.get(kind, "")
    if operator in ("greater-than", "less-than") and kind == JSON:
        key = key.replace("name", "age")
    elif operator in ("greater-than", "less-than"):
        kind, key = STATUS, ""
    elif operator == "not-exists":
        kind, key = JSON, "groups.nobody[0]"
    elif operator in ("equal", "regex") and kind != JSON:
        kind, key = HEADER, "x-name"
    elif operator == "contains" and kind in (STATUS, TIME):
        value = "7"
    return Condition(type=kind, operator=operator, values=[value], key=key)
