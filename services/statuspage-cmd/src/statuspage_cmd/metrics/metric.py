"""What may be done with a metric of a page; no I/O, the time is an argument."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.page_metric import CustomMetric, Metric
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.guard import AddressForbidden, Guard
from pinghome_common.hosts import web_url

M = TypeVar("M", CustomMetric, Metric)


def create(kind: type[M], id_: UUID, page: StatusPage, settings: dict[str, Any], now: datetime) -> M:
    """A new metric of a page."""
    own: dict[str, Any] = {"id": id_, "organisation": page.organisation, "page": page.id}
    return kind(**{**own, "created_at": now, "updated_at": now, **settings})


def edit(it: M, settings: dict[str, Any], now: datetime) -> M:
    """A metric with other settings."""
    return replace(it, **settings, updated_at=now)


def check_url(url: str, guard: Guard) -> None:
    """Checks a URL that is to be pinged.

    Raises:
        Invalid: it is no http or https URL, or its address may not be pinged.
    """
    if (parts := web_url(url)) is None:
        raise Invalid(FieldError("url", "Enter a valid URL"))
    try:
        guard.check_literal(parts.host)
    except AddressForbidden as error:
        raise Invalid(FieldError("url", str(error).removesuffix("."))) from None
