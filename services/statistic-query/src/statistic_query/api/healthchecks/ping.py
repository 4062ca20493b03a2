"""The pings of a check: contract B8, B14 and B.6."""

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
from pinghome_common.dialects.healthchecks_documents import shows
from pinghome_common.dialects.problems import TEXT
from pinghome_common.errors import NotFound
from pinghome_common.events.ping import Kind
from statistic_query.api.healthchecks.check import find_check
from statistic_query.pings import RecentPings, Row, durations
from statistic_query.project import NAME

routes = Router()

TYPES = {Kind.run: "start", Kind.fail: "fail", Kind.log: "log", Kind.ign: "ign"}
"""All other kinds are `success`."""

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
    """The last pings of a check, newest first (`PINGHOME_PINGS_KEPT`, default 1000); needs a read-write key (B8).

    `duration` is the time in seconds since the `start` with the same `rid`, if that was less than 72 hours earlier.
    """
    caller, id_, state = authorize(request), identified(id), request.app.state
    await state.progress.reached(NAME, "TELEMETRY")
    async with state.db.connection() as connection:
        check = await find_check(connection, caller, id_)
        rows = await RecentPings(connection, state.settings.pings_kept).newest(check)
    return answer(request, {"pings": _documents(rows, check.id, site(request), version_of(request))})


@routes.get("/checks/{id}/pings/{n}/body", response_class=PlainTextResponse, responses=TEXT)
async def body(request: Request, id: str, n: str) -> Response:  # noqa: A002
    """The unchanged body of a ping; 404 if it had none (B14)."""
    caller, id_, state = authorize(request), identified(id), request.app.state
    if not (n.isascii() and n.isdigit() and len(n) < 19):
        raise DialectError(404)
    await state.progress.reached(NAME, "TELEMETRY")
    async with state.db.connection() as connection:
        check = await find_check(connection, caller, id_)
        found = await RecentPings(connection, state.settings.pings_kept).body(check, int(n))
    if found is None:
        raise NotFound("not found")
    return plain(request, found)


def _documents(rows: list[Row], check: UUID, site: str, version: int) -> list[dict[str, Any]]:
    """The pings as documents, in the order of the rows: newest first."""
    found = []
    for row, took in zip(rows, durations(rows), strict=True):
        kind = Kind.ign if row["ignored"] else Kind(row["kind"])
        url = f"{site}/api/v{version}/checks/{check}/pings/{row['n']}/body" if row["size"] else None
        document = {
            "type": TYPES.get(kind, "success"),
            "date": row["at"].isoformat(),
            "n": row["n"],
            "scheme": row["scheme"],
            "remote_addr": row["remote_addr"],
            "method": row["method"],
            "ua": row["user_agent"],
            "rid": row["run_id"],
            "body_url": url,
        }
        if took is not None:
            document["duration"] = took.total_seconds() if version == 1 else round(took.total_seconds(), 2)
        found.append(document)
    return found
