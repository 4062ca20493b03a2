"""Commands on metrics that a monitor measures: contract C27 and C29, pingpong.txt lines 672 to 780.

Their paths are inferred.
"""

from typing import Any

from fastapi import Request, Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pingpong_metrics as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import COMPONENT, shows, takes
from pinghome_common.dialects.pingpong_fields import Field, choice, read, text
from pinghome_common.dialects.pingpong_metrics import FREQUENCIES, LOCATIONS, SHOWCASED
from pinghome_common.events.page_metric import Metric
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.api.pingpong.change import Change, changing
from statuspage_cmd.api.pingpong.custom_metrics import common
from statuspage_cmd.metrics import metric

routes = Router(tags=["Metrics"])

BODY = takes(
    {
        "name": "API",
        "description": None,
        "created_at": "2020-02-19T16:13:58Z",
        "component": COMPONENT["id"],
        "url": "https://api.example.com/health",
        "frequency": "5 minutes",
        "location": "US West",
        "showcased": "Showcase uptime",
    }
)


def _fields(page: StatusPage) -> dict[str, Field]:
    return common(page) | {
        "url": Field(text(2048, blank=True), "url", null=""),
        "frequency": Field(choice(FREQUENCIES), "frequency"),
        "location": Field(choice({place: place for place in LOCATIONS}), "location"),
        "showcased": Field(choice(SHOWCASED), "shows"),
    }


def _meant(settings: dict[str, Any], it: Change) -> dict[str, Any]:
    """Settings in the model's words; raises Invalid for a URL that may not be pinged."""
    if "shows" in settings:
        settings["shows_uptime"], settings["shows_response_time"] = settings.pop("shows")
    if "location" in settings:
        settings["regions"] = [it.command.settings.region_of(settings["location"])]
    settings["page_name"] = it.page.name
    if settings.get("url"):
        metric.check_url(settings["url"], it.command.state.guard)
    return settings


@routes.post("/metrics", status_code=201, responses=shows(documents.METRIC, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Creates a metric; with a URL a monitor pings it from now on (C27)."""
    async with changing(request) as it:
        settings = {"location": LOCATIONS[0]} | read(it.document, _fields(it.page), partial=False)
        metrics = it.command.metrics
        await metrics.check_limit(it.page.id, it.command.settings.page_metrics_limit)
        row = await metrics.add(metric.create(Metric, uuid7(), it.page, _meant(settings, it), it.command.now))
        return answer(documents.metric(row.state, await it.project()), 201)


@routes.api_route("/metrics/{id}", methods=["PUT", "PATCH"], responses=shows(documents.METRIC), openapi_extra=BODY)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of a metric; without a URL nothing is pinged any more (C29)."""
    async with changing(request) as it:
        row = await it.command.metrics.of(it.page.id, identified(id))
        settings = _meant(read(it.document, _fields(it.page), partial=True), it)
        row.state = metric.edit(row.state, settings, it.command.now)
        await it.command.metrics.save(row)
        return answer(documents.metric(row.state, await it.project()))
