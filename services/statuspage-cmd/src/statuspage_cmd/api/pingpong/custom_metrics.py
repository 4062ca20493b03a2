"""Commands on custom metrics: contract C32 and C34, pingpong.txt lines 837 to 942; their paths are inferred."""

from fastapi import Request, Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pingpong_metrics as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import COMPONENT, shows, takes
from pinghome_common.dialects.pingpong_fields import Field, boolean, choice, one_of, read, text, time
from pinghome_common.events.page_metric import CustomMetric
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.api.pingpong.change import changing
from statuspage_cmd.metrics import metric

routes = Router()

BODY = takes(
    {
        "name": "Errors",
        "description": None,
        "created_at": "2020-02-03T08:16:39Z",
        "component": COMPONENT["id"],
        "suffix": "per minute",
        "rollup": "Maximum value",
        "showcased": True,
    }
)


def common(page: StatusPage) -> dict[str, Field]:
    """The fields that metrics of both kinds have."""
    return {
        "name": Field(text(50), "name", required=True),
        "description": Field(text(255, blank=True, lines=True), "description", null=""),
        "created_at": Field(time, "created_at"),
        "component": Field(one_of({each.id for each in page.components}), "component", null=None),
    }


def _fields(page: StatusPage) -> dict[str, Field]:
    return common(page) | {
        "suffix": Field(text(50, blank=True), "suffix"),
        "rollup": Field(choice(documents.ROLLUPS | documents.SHORT_ROLLUPS), "rollup"),
        "showcased": Field(boolean, "showcased"),
    }


@routes.post("/custom-metrics", status_code=201, responses=shows(documents.CUSTOM_METRIC, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Creates a custom metric (C32)."""
    async with changing(request) as it:
        settings, metrics = read(it.document, _fields(it.page), partial=False), it.command.custom_metrics
        await metrics.check_limit(it.page.id, it.command.settings.page_metrics_limit)
        row = await metrics.add(metric.create(CustomMetric, uuid7(), it.page, settings, it.command.now))
        return answer(documents.custom_metric(row.state, await it.project()), 201)


@routes.api_route(
    "/custom-metrics/{id}", methods=["PUT", "PATCH"], responses=shows(documents.CUSTOM_METRIC), openapi_extra=BODY
)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of a custom metric; its points stay (C34)."""
    async with changing(request) as it:
        row = await it.command.custom_metrics.of(it.page.id, identified(id))
        row.state = metric.edit(row.state, read(it.document, _fields(it.page), partial=True), it.command.now)
        await it.command.custom_metrics.save(row)
        return answer(documents.custom_metric(row.state, await it.project()))
