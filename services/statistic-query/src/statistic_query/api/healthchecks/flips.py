"""The flips of a check: contract B9 and B.6, healthchecks-v1-2022.txt line 775."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from pinghome_common.clock import now
from pinghome_common.dialects.healthchecks import DialectError, Router, answer, authorize, moment, named, version_of
from pinghome_common.dialects.healthchecks_documents import shows
from statistic_query.api.healthchecks.check import find_check
from statistic_query.flips import flips
from statistic_query.project import NAME

routes = Router()

YEAR, LATEST = 31_536_000, 10_000_000_000
"""The largest `seconds`, and the largest `start` and `end`."""

RELAY_SECONDS = 0.03
"""How long an event takes from the database of resource-cmd to the stream."""

FLIPS = [{"timestamp": "2020-03-23T10:18:23+00:00", "up": 1}, {"timestamp": "2020-03-23T10:17:15+00:00", "up": 0}]


@routes.get("/checks/{id}/flips/", responses=shows(FLIPS))  # type: ignore[arg-type]
async def listing(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """When a check, given by its id or its unique key, went up and down, newest first (B9).

    `seconds` limits the answer to the last seconds, `start` and `end` to a range in UNIX seconds. Version 1 answers
    with the bare list of the documentation, unless `PINGHOME_FLIPS_AS_OBJECT` is set; versions 2 and 3 answer
    `{"flips": […]}`, as the real server does.
    """
    caller, key, state = authorize(request, read=True), named(id), request.app.state
    # resource-cmd turns pings into flips: wait until it has evaluated them and published the result.
    await state.evaluated.reached("resource-cmd", "TELEMETRY")
    await asyncio.sleep(RELAY_SECONDS)
    await state.progress.reached(NAME, "EVENTS")
    async with state.db.connection() as connection:
        check = await find_check(connection, caller, key)
        start, end = _range(request)
        found = await flips(connection, check, start, end)
    listed = [{"timestamp": moment(each.at), "up": int(each.up)} for each in found]
    bare = version_of(request) == 1 and not state.settings.flips_as_object
    return answer(request, listed if bare else {"flips": listed})


def _range(request: Request) -> tuple[datetime | None, datetime | None]:
    """The requested range; the end is exclusive.

    Raises:
        DialectError: 400, a parameter is not a whole number in its range.
    """
    seconds = _number(request, "seconds", YEAR) if request.query_params.get("seconds") else None
    start, end = _number(request, "start", LATEST), _number(request, "end", LATEST)
    starts = [now() - timedelta(seconds=seconds)] if seconds else []
    starts += [] if start is None else [datetime.fromtimestamp(start, UTC)]
    return max(starts, default=None), None if end is None else datetime.fromtimestamp(end, UTC)


def _number(request: Request, name: str, maximum: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,11}", text) or int(text) > maximum:
        raise DialectError(400)
    return int(text)
