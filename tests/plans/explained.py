"""What PostgreSQL says of every statement that it has run: auto_explain's plans, read from its log."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRY = re.compile(r"^\S+ \S+ UTC \[\d+\] (\w+) LOG:  duration: [\d.]+ ms  plan:$")
SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "log_line_prefix": "%m [%p] %d ",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_parameter_max_length": "0",
}


@dataclass
class Node:
    """A node of a plan that reads a table; `read` is how many rows it looked at in all."""

    kind: str
    table: str
    read: int


@dataclass
class Explained:
    """A statement as one run of it was planned."""

    database: str
    text: str
    nodes: list[Node]

    @property
    def shape(self) -> str:
        return re.sub(r"\s+", " ", self.text).strip()


def read(log: Path) -> Iterator[Explained]:
    """Every plan of a log."""
    database, lines = "", list[str]()
    with log.open() as entries:
        for line in entries:
            if database and line.startswith("\t"):
                lines.append(line)
                continue
            if database and lines:
                yield _explained(database, json.loads("".join(lines)))
            found = ENTRY.match(line.rstrip("\n"))
            database, lines = found[1] if found else "", []


def _explained(database: str, entry: dict[str, Any]) -> Explained:
    return Explained(database, entry["Query Text"], list(_nodes(entry["Plan"])))


def _nodes(plan: dict[str, Any]) -> Iterator[Node]:
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
    if "Relation Name" in plan or plan["Node Type"] == "Bitmap Index Scan":
        each = plan["Actual Rows"] + sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
        table = plan.get("Relation Name") or plan["Index Name"]
        yield Node(plan["Node Type"], table, round(each * plan["Actual Loops"]))
