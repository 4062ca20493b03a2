"""Records of metrics: contract C26, C28, C31 and C33, pingpong.txt lines 646 to 902; their paths are inferred."""

from fastapi import Response

from pinghome_common.dialects import pingpong_metrics as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import shows
from statuspage_query.api.pingpong.reading import Reading

routes = Router(tags=["Metrics"])


@routes.get("/metrics", responses=shows([documents.METRIC]))
async def metrics(it: Reading) -> Response:
    """The page's metrics that are measured by pinging a URL, oldest first (C26)."""
    project = await it.project()
    return answer([documents.metric(each, project) for each in await it.read.metrics(it.page.id)])


@routes.get("/metrics/{id}", responses=shows(documents.METRIC))
async def metric(id: str, it: Reading) -> Response:  # noqa: A002  # the document's word
    """A metric that is measured (C28)."""
    found = await it.read.metric(it.page.id, identified(id))
    return answer(documents.metric(found, await it.project()))


@routes.get("/custom-metrics", responses=shows([documents.CUSTOM_METRIC]))
async def custom_metrics(it: Reading) -> Response:
    """The page's custom metrics, oldest first (C31)."""
    project = await it.project()
    return answer([documents.custom_metric(each, project) for each in await it.read.custom_metrics(it.page.id)])


@routes.get("/custom-metrics/{id}", responses=shows(documents.CUSTOM_METRIC))
async def custom_metric(id: str, it: Reading) -> Response:  # noqa: A002
    """A custom metric (C33)."""
    found = await it.read.custom_metric(it.page.id, identified(id))
    return answer(documents.custom_metric(found, await it.project()))
