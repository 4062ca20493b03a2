"""What the HTTP probe sends, and what it refuses to send or to connect to."""

import pytest

from pinghome_common.events.probe import Verdict
from prober.probes.request import USER_AGENT

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"


async def test_method_headers_and_body_are_really_sent(listening, look):
    async with listening(OK) as target:
        headers = {"X-Api-Key": "geheim", "Content-Type": "application/json"}
        await look(f"{target.url}a%20b?q=1 2&ü#part", method="POST", headers=headers, body='{"grüße": 1}')

    line, headers, body = target.last
    assert line == b"POST /a%20b?q=1%202&%C3%BC HTTP/1.1"
    assert {b"X-Api-Key: geheim", b"Content-Type: application/json", b"Content-Length: 14"} <= set(headers)
    assert f"Host: 127.0.0.1:{target.port}".encode() in headers
    assert body == '{"grüße": 1}'.encode()


async def test_request_names_us_asks_for_plain_bytes_and_one_answer(listening, look):
    async with listening(OK) as target:
        await look(target.url)

    _, headers, body = target.last
    assert {b"Accept-Encoding: identity", b"Connection: close", f"User-Agent: {USER_AGENT}".encode()} <= set(headers)
    assert not [header for header in headers if header.startswith(b"Content-Length")]
    assert body == b""


async def test_user_agent_may_be_the_users(listening, look):
    async with listening(OK) as target:
        await look(target.url, headers={"user-agent": "mine"})

    assert [header for header in target.last[1] if header.lower().startswith(b"user-agent")] == [b"user-agent: mine"]


async def test_password_in_the_url_is_sent_as_basic_credentials(listening, look):
    async with listening(OK) as target:
        await look(f"http://us%3Aer:p%40ss@127.0.0.1:{target.port}/")

    assert b"Authorization: Basic dXM6ZXI6cEBzcw==" in target.last[1]


@pytest.mark.parametrize(
    "check",
    [
        *({"headers": {name: "1"}} for name in ("Host", "CONTENT-LENGTH", "transfer-encoding", "Connection")),
        *({"headers": {name: "1"}} for name in ("Metadata-Flavor", "X-aws-ec2-metadata-token", "", "a b", "a:b", "ü")),
        *({"headers": {"X": value}} for value in ("a\r\nHost: b", "a\n", "a\0")),
        *({"method": method} for method in ("TRACE", "CONNECT", "get", "GET / HTTP/1.1\r\nX: y\r\n\r\n")),
    ],
    ids=str,
)
async def test_forbidden_header_or_method_is_never_sent(listening, look, check):
    async with listening(OK) as target:
        seen = await look(target.url, **check)

    assert (seen.verdict, target.connections) == (Verdict.blocked, 0)
    assert "is not allowed" in seen.error


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "javascript:1", "//127.0.0.1/", "", "x"),
        *("http://", "http://:80/", "http://-oProxy/", "http://a b/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/"),
        *("http://[::1%25lo]/", "http://[zz]/", "http://a..b/", "http://127.0.0.1/" + "a" * 9000),
    ],
)
async def test_url_that_no_http_probe_should_get_is_blocked(look, url):
    seen = await look(url)

    assert seen.verdict is Verdict.blocked
    assert seen.error.startswith("the URL cannot be probed: ")


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "127.2", "[::ffff:127.0.0.2]", "①②⑦.0.0.2", "0x7f000002", "169.254.169.254"]
)
async def test_forbidden_address_is_blocked_and_never_connected_to(listening, look, host):
    async with listening(OK, host="127.0.0.2") as target:
        seen = await look(f"http://{host}:{target.port}/")

    assert (seen.verdict, target.connections) == (Verdict.blocked, 0)
