"""Which registered domain a host lies below, and when a registry is asked again."""

from datetime import UTC, datetime, timedelta

import pytest

from resource_cmd.expiry.domain import LONGEST_PAUSE, ask_again, pause, registrable

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.com", "example.com"),
        ("www.shop.example.com", "example.com"),
        ("www.example.co.uk", "example.co.uk"),
        ("xn--bcher-kva.example.de", "example.de"),
        ("pinghome.github.io", "github.io"),  # the registry knows github.io, whoever may have a name below it
        ("_dmarc.example.org", "example.org"),
    ],
)
def test_registered_domain_of_a_host(host, domain):
    assert registrable(host) == domain


@pytest.mark.parametrize(
    "host",
    [
        *("", "com", "co.uk", "localhost", "db.internal", "a.b.local", "example.test", "127.0.0.1", "::1", "1.2.3.4"),
        *(
            "example.com\r\nevil",
            "a b.com",
            "exa$mple.com",
            "-.com",
            "..com",
            ".com",
            "example..com",
            "x" * 64 + ".com",
        ),
        *("example.com/../../x", "example.com%2f", "é.com"),
    ],
)
def test_what_has_no_registered_domain(host):
    assert registrable(host) == ""


def test_pauses_double_up_to_six_hours():
    assert [pause(tries) for tries in (1, 2, 3)] == [timedelta(minutes=each) for each in (1, 2, 4)]
    assert pause(1000) == LONGEST_PAUSE == timedelta(hours=6)


def test_an_answer_is_good_for_a_day_unless_the_domain_expires_before():
    assert ask_again(None, NOW) == ask_again(NOW - timedelta(days=9), NOW) == NOW + timedelta(days=1)
    assert ask_again(NOW + timedelta(days=9), NOW) == NOW + timedelta(days=1)
    assert NOW < ask_again(NOW + timedelta(hours=1), NOW) < NOW + timedelta(hours=2)
