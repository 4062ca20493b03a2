"""Which certificate and which domain a monitor is shown with, and when a newer sight of one is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pinghome_common.events.certificate import Certificate, replaces
from pinghome_common.events.domain import Domain
from pinghome_common.events.resource import Change, Resource, Status, certificate_of, domain_of, target

AT = datetime(2026, 11, 21, tzinfo=UTC)
SEEN = Certificate(
    host="www.example.com",
    subject="CN=www.example.com",
    issuer="CN=R11",
    serial_number="1",
    valid_from=AT - timedelta(days=1),
    valid_to=AT + timedelta(days=89),
    sha256="00",
    verified=True,
    checked_at=AT,
    region="a",
)


def monitor(**settings) -> Resource:
    change = Change(status=Status.up, previous=None, at=AT, version=1)
    own = {"id": uuid4(), "organisation": uuid4(), "service_id": uuid4(), "created_at": AT, "updated_at": AT}
    return Resource(**own, name="x", type=settings.pop("type", "http"), regions=["a"], change=change, **settings)


def test_a_newer_sight_is_kept_when_it_differs_and_once_a_day():
    later = replace(SEEN, checked_at=AT + timedelta(hours=6), region="b")
    assert replaces(SEEN, None)
    assert not replaces(SEEN, SEEN)
    assert not replaces(later, SEEN)
    assert replaces(replace(later, checked_at=AT + timedelta(days=1)), SEEN)
    assert replaces(replace(later, sha256="01"), SEEN)
    assert replaces(replace(later, verified=False, problem="certificate has expired"), SEEN)
    assert not replaces(replace(SEEN, sha256="01"), later)  # of an older slot
    assert not replaces(replace(SEEN, sha256="01", checked_at=later.checked_at), later)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"url": "https://WWW.Example.com.:8443/a?b"}, "www.example.com"),
        ({"url": "https://bücher.example.com/"}, "xn--bcher-kva.example.com"),
        ({"url": "https://[::1]/"}, "::1"),
        ({"type": "tls", "host": "Mail.Example.com"}, "mail.example.com"),
        ({"url": "http://[half"}, ""),
        ({"type": "tls", "host": "x" * 70 + ".com"}, ""),
        ({}, ""),
    ],
)
def test_host_that_is_looked_at(settings, host):
    assert target(monitor(**settings)) == host


def test_certificate_is_that_of_the_host_that_is_looked_at_now():
    it = monitor(url="https://www.example.com/", certificate=SEEN)
    assert certificate_of(it) is SEEN
    assert certificate_of(replace(it, url="https://other.example.com/")) is None
    assert certificate_of(replace(it, url="http://www.example.com/")) is None
    assert certificate_of(replace(it, type="tls", url="", host="www.example.com")) is SEEN
    assert certificate_of(replace(it, type="tcp", url="", host="www.example.com")) is None
    assert certificate_of(monitor(url="https://www.example.com/")) is None


def test_domain_is_that_of_the_host_that_is_looked_at_now():
    known = Domain(name="example.com", checked_at=AT)
    it = monitor(url="http://www.example.com/", domain=known)
    assert domain_of(it) is known
    assert domain_of(replace(it, url="http://example.com/")) is known
    assert domain_of(replace(it, url="http://notexample.com/")) is None
    assert domain_of(replace(it, url="http://example.org/")) is None
    assert domain_of(monitor(url="http://example.com/")) is None
