"""PingPong's metrics (contract C.2): their words, documents and examples; pingpong.txt lines 646 to 942."""

from pinghome_common.dialects.pingpong import moment, short
from pinghome_common.dialects.pingpong_documents import COMPONENT, Document, Project
from pinghome_common.events.page_metric import CustomMetric, Metric, PageMetric, Rollup

ROLLUPS = {
    "Mean value": Rollup.mean,
    "Mean value (rounded)": Rollup.rounded_mean,
    "Sum of all values": Rollup.sum,
    "Minimum value": Rollup.minimum,
    "Maximum value": Rollup.maximum,
}
_ROLLUPS = {rollup: word for word, rollup in ROLLUPS.items()}
SHORT_ROLLUPS = {"Mean": Rollup.mean, "Sum": Rollup.sum, "Min": Rollup.minimum, "Max": Rollup.maximum}
"""Words that the document's own example uses, which are accepted and never shown."""

FREQUENCIES = {"minute": 60, **{f"{count} minutes": count * 60 for count in (2, 5, 10, 15, 30, 60)}}
_FREQUENCIES = {seconds: word for word, seconds in FREQUENCIES.items()}

LOCATIONS = (
    "US West", "US East", "Brazil", "United Kingdom", "Italy", "Sweden", "South Africa", "Singapore", "Australia",
    "Japan",
)  # fmt: skip

SHOWCASED = {
    "Don't showcase": (False, False),
    "Showcase uptime and response time": (True, True),
    "Showcase uptime": (True, False),
    "Showcase response time": (False, True),
}
"""Whether uptime and response time are shown, by their words."""
_SHOWCASED = {shows: word for word, shows in SHOWCASED.items()}


def custom_metric(it: CustomMetric, project: Project) -> Document:
    """A custom metric with the component that it is about."""
    return {
        **_common(it, project),
        "suffix": it.suffix,
        "rollup": _ROLLUPS[it.rollup],
        "showcased": it.showcased,
    }


def metric(it: Metric, project: Project) -> Document:
    """A metric that is measured."""
    return {
        **_common(it, project),
        "url": it.url or None,
        "frequency": _FREQUENCIES[it.frequency],
        "location": it.location,
        "showcased": _SHOWCASED[it.shows_uptime, it.shows_response_time],
    }


def _common(it: PageMetric, project: Project) -> Document:
    component = project.components([it.component] if it.component else [])
    return {
        "id": short(it.id),
        "project": project.name,
        "name": it.name,
        "description": it.description or None,
        "created_at": moment(it.created_at),
        "component": component[0] if component else None,
    }


CUSTOM_METRIC = {
    "id": "29epTBPdfSTBB7LAmTfADw",
    "project": "ACME",
    "name": "Errors",
    "description": None,
    "created_at": "2020-02-03T08:16:39Z",
    "component": COMPONENT,
    "suffix": "per minute",
    "rollup": "Maximum value",
    "showcased": True,
}
METRIC = {
    "id": "3PGPFfUjHpnJfMXvqnctt7",
    "project": "ACME",
    "name": "API",
    "description": None,
    "created_at": "2020-02-19T16:13:58Z",
    "component": COMPONENT,
    "url": "https://api.example.com/health",
    "frequency": "5 minutes",
    "location": "US West",
    "showcased": "Showcase uptime",
}
"""Examples for OpenAPI."""
