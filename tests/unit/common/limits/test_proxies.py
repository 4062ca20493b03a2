"""Who a request is from: the peer, or whom a trusted proxy names."""

import pytest

from unit.common.limits.conftest import process


@pytest.fixture(scope="module")
def behind_proxies(tmp_path_factory):
    trusted = "127.0.0.1, 10.0.0.0/8"
    with process(tmp_path_factory.mktemp("proxies") / "log", PINGHOME_TRUSTED_PROXIES=trusted) as running:
        yield running


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"<script>, 192.0.2.1", "192.0.2.1"),
        (b"198.51.100.7, 192.0.2.1:80, 10.0.0.1", "192.0.2.1"),
        (b"2001:DB8::1", "2001:db8::1"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"fe80::1%<script>", "fe80::1"),
        (b"", "127.0.0.1"),
        (b"<script>", "127.0.0.1"),
        (b"192.0.2.1, unknown", "127.0.0.1"),
        (b"\xff" * 500, "127.0.0.1"),
    ],
)
async def test_a_trusted_proxy_names_the_client_by_an_address_alone(served, behind_proxies, forwarded, client):
    request = b"GET /client HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: %b\r\n\r\n" % forwarded

    [(_, body)] = await behind_proxies.say(request)
    [(_, unproxied)] = await served.say(request)

    assert (body["client"], body["scheme"]) == (client, "https")
    assert (unproxied["client"], unproxied["scheme"]) == ("127.0.0.1", "http")
