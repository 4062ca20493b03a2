"""Certificates, domains and their reminders: contract A18 to A21, pinghome-monitoring.txt lines 595 to 695."""

from fastapi import Response

from pinghome_common.clock import now
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import NotFound
from pinghome_common.events.resource import certificate_of, domain_of
from resource_query.api.pinghome.dependencies import Reading

routes = Router(tags=["Uptime monitors"])

REMINDER = {"days_before": [1, 3, 7]}


@routes.get("/v1/resource/{id}/ssl", responses=documents.shows(documents.CERTIFICATE))
async def ssl(id: Id, read: Reading) -> Response:  # noqa: A002  # the document's word
    """The certificate that the monitor's host last presented (A18); 404 until there is one."""
    it, *_ = await read.resource(id)
    certificate = certificate_of(it)
    if certificate is None:
        raise NotFound("No certificate has been seen")
    return answer(documents.certificate(certificate, now()))


@routes.get("/v1/resource/{id}/tld", responses=documents.shows(documents.DOMAIN))
async def tld(id: Id, read: Reading) -> Response:  # noqa: A002
    """What the registry says about the monitor's domain (A19); 404 until it has answered."""
    it, *_ = await read.resource(id)
    domain = domain_of(it)
    if domain is None:
        raise NotFound("Nothing is known of the domain")
    return answer(documents.domain(domain, now()))


@routes.get("/v1/resource/{id}/ssl/reminder", responses=documents.shows(REMINDER))
async def ssl_reminder(id: Id, read: Reading) -> Response:  # noqa: A002
    """How many days before the certificate expires channels are notified (A20); 404 if unset."""
    it, version, *_ = await read.resource(id)
    return _reminder(it.ssl_reminder, version)


@routes.get("/v1/resource/{id}/tld/reminder", responses=documents.shows(REMINDER))
async def tld_reminder(id: Id, read: Reading) -> Response:  # noqa: A002
    """How many days before the domain expires channels are notified (A21); 404 if unset."""
    it, version, *_ = await read.resource(id)
    return _reminder(it.tld_reminder, version)


def _reminder(days_before: list[int], version: int) -> Response:
    if not days_before:
        raise NotFound("Reminder not found")
    return answer({"days_before": days_before}, version=version)
