"""Single results of an uptime monitor (our extension)."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import milliseconds, moment, shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.events.probe import Verdict
from statistic_query.api.pinghome.dependencies import Limited, Ranged, Reading
from statistic_query.read import VERDICTS, Row

routes = Router(tags=["Uptime monitors"])

FAILURES = [verdict for verdict in VERDICTS if verdict is not Verdict.up]
VerdictFilter = Literal["up", "fail", "target_fail", "probe_error", "blocked"]
RESULTS = {
    "data": [
        {
            "verdict": "fail",
            "class": "target_fail",
            "region": "eu-central-1",
            "slot": "2026-11-21T21:50:15Z",
            "checked_at": "2026-11-21T21:50:15.061Z",
            "phases": {"dns": 1.9, "connect": 9.4, "tls": 18.2, "first_byte": 31.0, "total": 61.3},
            "status_code": 200,
            "error": "response-json-check status equal ok: found degraded",
            "address": "192.0.2.10",
            "condition": "response-json-check status equal ok",
            "excerpt": '{"status": "degraded"}',
            "tolerated": ["a header has a space before its colon"],
        }
    ]
}


@routes.get("/v1/resource/{id}/results", responses=shows(RESULTS))
async def results(
    id: Id,  # noqa: A002  # the document's word
    read: Reading,
    range_: Ranged,
    limit: Limited = 100,
    verdict: Annotated[VerdictFilter | None, Query(description="`fail` includes the three classes after it")] = None,
) -> Response:
    """Single results, newest first; without dates, all that are kept (`PINGHOME_RESULTS_KEPT_DAYS`).

    `class` says what caused a failure: the target (`target_fail`), the prober or its region (`probe_error`), or a
    forbidden address (`blocked`). Phases are in milliseconds, null if there was no such phase. `error`, `condition` and
    `excerpt`, at most 4 KiB of the answer, are kept of failures only. `tolerated` lists protocol violations that did
    not count. `checked_at` is exact if one of these is kept; else it is the slot, and `pinghome_slot_delay_seconds`
    measures the delay.
    """
    it = await read.owned("resource", id)
    verdicts = list(VERDICTS) if verdict is None else FAILURES if verdict == "fail" else [Verdict(verdict)]
    rows = await read.results(it, range_.asked_start, range_.asked_end, limit, verdicts)
    return answer({"data": [_document(row) for row in rows]})


def _document(row: Row) -> dict[str, Any]:
    verdict = VERDICTS[row["verdict"]]
    phases = ("dns", "connect", "tls", "first_byte", "total")
    return {
        "verdict": "up" if verdict is Verdict.up else "fail",
        "class": None if verdict is Verdict.up else verdict,
        "region": row["region"],
        "slot": moment(row["slot"]),
        "checked_at": moment(row["slot"] + timedelta(milliseconds=row["late"] or 0.0)),
        "phases": {phase: milliseconds(row[phase]) for phase in phases},
        "status_code": row["status_code"],
        "error": row["error"] or "",
        "address": row["at"],
        "condition": row["condition"] or "",
        "excerpt": row["excerpt"] or "",
        "tolerated": row["tolerated"].split("\n") if row["tolerated"] else [],
    }
