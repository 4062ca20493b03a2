"""The pings of a check: contract B8, B14 and B.6."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from pinghome_common.dialects.healthchecks import (
    DialectError,
    Router,
    answer,
    authorize,
    identified,
    plain,
    site,
    version_of,
)
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.problems import TEXT
from pinghome_common.events.ping import Kind
from statistic_query import checks
from statistic_query.pings import RecentPings, Row
from statistic_query.query import NAME

routes = Router()

LONGEST = timedelta(hours=72)
"""A run that took longer has no duration."""

TYPES = {Kind.run: "start", Kind.fail: "fail", Kind.log: "log", Kind.ign: "ign"}
"""All others are a success."""

PINGS = {
    "pings": [
        {
            "type": "success",
            "date": "2020-06-09T14:51:06.113073+00:00",
            "n": 4,
            "scheme": "http",
            "remote_addr": "192.0.2.0",
            "method": "GET",
            "ua": "curl/7.68.0",
            "rid": None,
            "body_url": None,
            "duration": 2.896736,
        }
    ]
}


@routes.get("/checks/{id}/pings/", responses=shows(PINGS))
async def pings(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """The newest pings of a check, newest first (`PINGHOME_PINGS_KEPT`, 1000); needs a read-write key (B8).

    `duration` is in seconds from the `start` with the same `rid` less than 72 hours earlier.
    """
    caller, named, state = authorize(request), identified(id), request.app.state
    await state.progress.reached(NAME, "TELEMETRY")
    async with state.db.connection() as connection:
        check = await checks.find(connection, caller, named)
        rows = await RecentPings(connection, state.settings.pings_kept).newest(check)
    return answer(request, {"pings": _documents(rows, check.id, site(request), version_of(request))})


@routes.get("/checks/{id}/pings/{n}/body", response_class=PlainTextResponse, responses=TEXT)
async def body(request: Request, id: str, n: str) -> Response:  # noqa: A002
    """The body that a ping was sent with, as it was; 404 when there was none (B14)."""
    caller, named, state = authorize(request), identified(id), request.app.state
    if not (n.isascii() and n.isdigit() and len(n) < 19):
        raise DialectError(404)
    await state.progress.reached(NAME, "TELEMETRY")
    async with state.db.connection() as connection:
        check = await checks.find(connection, caller, named)
        found = await RecentPings(connection, state.settings.pings_kept).body(check, int(n))
    return plain(request, found)


def _documents(rows: list[Row], check: UUID, site: str, version: int) -> list[dict[str, Any]]:
    """The pings as documents, in the order of the rows: the last first."""
    before: dict[UUID | None, Row] = {}
    found = []
    for row in reversed(rows):
        kind, run = Kind.ign if row["ignored"] else Kind(row["kind"]), row["run_id"]
        url = f"{site}/api/v{version}/checks/{check}/pings/{row['n']}/body" if row["size"] else None
        document = {
            "type": TYPES.get(kind, "success"),
            "date": row["at"].isoformat(),
            "n": row["n"],
            "scheme": row["scheme"],
            "remote_addr": row["remote_addr"],
            "method": row["method"],
            "ua": row["user_agent"],
            "rid": run,
            "body_url": url,
        }
        if kind not in (Kind.log, Kind.ign):
            if (lasted := _lasted(before.get(run), row)) is not None:
                document["duration"] = lasted if version == 1 else round(lasted, 2)
            before[run] = row
        found.append(document)
    return found[::-1]


def _lasted(before: Row | None, row: Row) -> float | None:
    """Seconds from the start to the end of a run, when the ping before, of the same run, was its start."""
    if before is None or before["kind"] != Kind.run or row["kind"] == Kind.run:
        return None
    lasted: timedelta = row["at"] - before["at"]
    return lasted.total_seconds() if timedelta() <= lasted < LONGEST else None
