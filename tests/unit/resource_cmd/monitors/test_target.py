"""Where each type of monitor looks, and what it must be told for that."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from pinghome_common.errors import Invalid
from pinghome_common.events.condition import Condition
from pinghome_common.events.resource import Resource
from pinghome_common.events.resource import target as target_of
from resource_cmd.monitors import resource, target
from resource_cmd.monitors.target import Endpoint
from resource_cmd.scheduling.job import job_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def monitor(type_: str, **settings) -> Resource:
    own = {"name": "x", "service_id": UUID(int=2), "regions": ["eu-central-1"], "type": type_}
    return resource.create(UUID(int=1), UUID(int=3), own | settings, NOW)


@pytest.mark.parametrize(
    ("type_", "settings", "host", "port"),
    [
        ("tcp", {"host": "Example.com", "port": 5432}, "example.com", 5432),
        ("tcp", {"url": "tcp://example.com:5432"}, "example.com", 5432),
        ("tcp", {"url": "example.com:5432"}, "example.com", 5432),
        ("tcp", {"url": "http://example.com:8080/path"}, "example.com", 8080),
        ("tcp", {"url": "example.com:5432", "port": 80}, "example.com", 80),
        ("tcp", {"host": "a.example", "url": "tcp://b.example:1"}, "a.example", 1),
        ("udp", {"host": "[2001:db8::1]", "port": 53}, "2001:db8::1", 53),
        ("udp", {"host": "2001:db8::1", "port": 53}, "2001:db8::1", 53),
        ("icmp", {"host": "192.0.2.1"}, "192.0.2.1", 0),
        ("icmp", {"host": "bücher.example", "port": 7}, "xn--bcher-kva.example", 0),
        ("icmp", {"host": "straße.test"}, "xn--strae-oqa.test", 0),
        ("tcp", {"url": "tcp://βόλος.test:1"}, "xn--nxasmm1c.test", 1),
        ("smtp", {"host": "mail.example"}, "mail.example", 25),
        ("smtp", {"host": "mail.example", "port": 587}, "mail.example", 587),
        ("pop", {"host": "mail.example"}, "mail.example", 110),
        ("pop", {"url": "pop3://mail.example:995"}, "mail.example", 995),
        ("imap", {"host": "mail.example"}, "mail.example", 143),
        ("dns", {"host": "example.com"}, "", 53),
        ("dns", {"host": "example.com", "url": "dns://192.0.2.53"}, "192.0.2.53", 53),
        ("dns", {"host": "example.com", "url": "dns://192.0.2.53:5353"}, "192.0.2.53", 5353),
        ("dns", {"host": "example.com", "url": "192.0.2.53", "port": 5354}, "192.0.2.53", 5354),
    ],
)
def test_settings_lead_to_a_host_and_a_port(type_, settings, host, port):
    it = monitor(type_, **settings)
    target.check(it)

    assert target.endpoint(it) == Endpoint(host, port)
    assert (job_of(it).host, job_of(it).port, job_of(it).url) == (host, port, "")


@pytest.mark.parametrize(
    ("type_", "settings", "field"),
    [
        ("http", {}, "url"),
        ("http", {"url": "ftp://example.com/"}, "url"),
        ("http", {"url": "https://user@example.com/"}, "url"),
        *((type_, {"port": 1}, "host") for type_ in ("tcp", "udp", "icmp", "smtp", "pop", "imap", "dns")),
        ("tcp", {"host": "example.com"}, "port"),
        ("udp", {"host": "example.com"}, "port"),
        ("udp", {"url": "udp://example.com"}, "port"),
        *(("tcp", {"host": host, "port": 1}, "host") for host in (
            "-oProxy", "a b", "a..b", "http://example.com", "example.com:80", "example.com/", "a@b", "fe80::1%lo", "[",
            "[::1", "a\tb", "a?b", "a#b", "%00", "*", "x" * 64 + ".example",
        )),
        *(("tcp", {"url": url, "port": 1}, "url") for url in (
            "file:///etc/passwd", "gopher://example.com:1", "smtp://example.com", "//", "tcp://", "tcp://u@h:1",
            "u:p@h", "tcp://h:0", "tcp://h:99999", "tcp://h:x", "[::1", "-h",
        )),
        *(("dns", {"host": host}, "host") for host in ("a b", "a..b", "a" * 64, "a.example/", "b:53", "(", '"')),
        *(("dns", {"host": "a.example", "data": data}, "data") for data in ("192.0.2.1", "ANY", "AXFR", "X Y")),
        ("dns", {"host": "a.example", "url": "http2://a"}, "url"),
        *((type_, {"host": "a.example", "port": 1, "conditions": [Condition(type="x", operator="y")]}, "conditions")
          for type_ in ("tcp", "udp", "icmp", "smtp", "pop", "imap", "dns")),
    ],
)  # fmt: skip
def test_what_is_missing_or_does_not_fit_is_named(type_, settings, field):
    with pytest.raises(Invalid) as refused:
        target.check(monitor(type_, **settings))

    assert [error.field for error in refused.value.errors] == [field]


def test_keyword_is_for_http_and_a_payload_for_ports():
    keyword = job_of(monitor("http", url="https://example.com/", data="well"))
    payload = job_of(monitor("udp", host="example.com", port=1, data="ping"))

    assert ([condition.values for condition in keyword.conditions], keyword.data) == ([["well"]], "")
    assert (payload.conditions, payload.data) == ([], "ping")


@pytest.mark.parametrize(
    ("data", "question"),
    [
        ("", "example.com A"),
        ("mx", "example.com MX"),
        ("A 192.0.2.1", "example.com A 192.0.2.1"),
        ("txt  v=spf1 -all ", "example.com TXT v=spf1 -all"),
    ],
)
def test_dns_asks_for_an_address_unless_told_what_else(data, question):
    it = monitor("dns", host="example.com", data=data)
    target.check(it)

    assert job_of(it).data == question


def test_name_of_a_dns_question_is_read_by_idna_2008():
    assert job_of(monitor("dns", host="straße.test", data="TXT v=1")).data == "xn--strae-oqa.test TXT v=1"


@pytest.mark.parametrize("url", ["https://straße.test/ß", "HTTPS://STRASSE.straße.test:8443"])
def test_host_that_certificate_and_domain_are_of_is_the_one_that_is_probed(url):
    assert target_of(monitor("http", url=url)).endswith("xn--strae-oqa.test")
