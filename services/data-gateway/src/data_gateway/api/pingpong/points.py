"""Points of custom metrics: contract C30 and I, pingpong.txt lines 781 to 811; the path is inferred."""

import asyncio
import time
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import Request, Response

from data_gateway.point_intake import AHEAD, OLDEST, PointIntake
from pinghome_common.dialects.pingpong import Bad, Router, answer, authorize, document_of, identified, page_of
from pinghome_common.dialects.pingpong_documents import shows, takes
from pinghome_common.events.point import Points

routes = Router(tags=["Points of custom metrics"])

MOST = 10_000
"""Points of one request."""

LARGEST = 1e300
"""The largest value: sums of any number of them are finite."""

SMALL = 32 << 10
"""Bytes that are read in the event loop; larger bodies would hold up pings."""

_ID = "29epTBPdfSTBB7LAmTfADw"
_EXAMPLE = {_ID: [{"timestamp": 1615387860, "value": 11.6}, {"timestamp": 1615387920, "value": 12.1}]}
_BODY = {"data": {_ID: [{"timestamp": 1615387895, "value": 11.6}, {"timestamp": 1615387935, "value": 12.1}]}}


class Sent(NamedTuple):
    """What was sent of one metric: the last value of each minute since 1970, in the order of the request."""

    metric: UUID
    values: dict[int, int | float]


@routes.post("/custom-metrics/data", responses=shows(_EXAMPLE), openapi_extra=takes(_BODY))
async def add(request: Request) -> Response:
    """Stores points, each in place of what its minute had; those of more than 30 days ago are left out (C30)."""
    caller = authorize(request)
    intake: PointIntake = request.app.state.point_intake
    body = await request.body()
    work = partial(_read, body, int(time.time()))
    if len(body) <= SMALL:
        sent = work()
    else:
        async with intake.large:
            sent = await asyncio.to_thread(work)
    await intake.check(page_of(caller), [each.metric for each in sent.values()])
    await intake.store([_packed(each) for each in sent.values() if each.values])
    return answer({id_: [_point(*each) for each in it.values.items()] for id_, it in sent.items()})


def _read(body: bytes, now: int) -> dict[str, Sent]:
    """What a body says, by the ids in it.

    Raises:
        ParseError: it is not JSON.
        Bad: a point is wrong, or there are too many.
        NotFound: an id is none.
    """
    document = document_of(body)
    if "data" not in document:
        raise _wrong("This field is required.")
    data = document["data"]
    if not isinstance(data, dict):
        raise _wrong(f'Expected a dictionary of items but got type "{type(data).__name__}".')
    for id_, points in data.items():
        if not isinstance(points, list):
            raise _wrong(f'Expected a list of items but got type "{type(points).__name__}".', id_)
    if sum(map(len, data.values())) > MOST:
        raise _wrong(f"Ensure there are no more than {MOST} data points.")
    found = {}
    for id_, points in data.items():
        values: dict[int, int | float] = {}
        for place, point in enumerate(points):
            at, value = _checked(point, id_, place, now)
            if at >= now - OLDEST:
                values[at // 60] = value
        found[id_] = values
    return {id_: Sent(identified(id_), values) for id_, values in found.items()}


def _checked(point: Any, id_: str, place: int, now: int) -> tuple[int, int | float]:
    """The time and the value of a point; raises Bad."""
    if not isinstance(point, dict):
        text = f"Invalid data. Expected a dictionary, but got {type(point).__name__}."
        raise _wrong(text, id_, str(place), "non_field_errors")
    for name in ("timestamp", "value"):
        if point.get(name) is None:
            text = "This field may not be null." if name in point else "This field is required."
            raise _wrong(text, id_, str(place), name)
    at, value = point["timestamp"], point["value"]
    if type(at) is not int:  # a bool is an int, too
        raise _wrong("A valid integer is required.", id_, str(place), "timestamp")
    if at > now + AHEAD:
        raise _wrong("Ensure this value is at most 5 minutes in the future.", id_, str(place), "timestamp")
    if type(value) not in (int, float) or not -LARGEST <= value <= LARGEST:
        raise _wrong("A valid number is required.", id_, str(place), "value")
    return at, int(float(value)) if type(value) is int else value


def _wrong(text: str, *place: str) -> Bad:
    """What is wrong, nested as the body is: by the metric's id, the number of the point, and its field."""
    errors: Any = [text]
    for each in reversed(("data", *place)):
        errors = {each: errors}
    return Bad(errors)


def _packed(it: Sent) -> Points:
    return Points.packed(it.metric.bytes, it.values, it.values.values())


def _point(minute: int, value: float) -> dict[str, int | float]:
    return {"timestamp": minute * 60, "value": value}
