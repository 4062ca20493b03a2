"""Where the HTTP probe lets itself be led, and what it takes along."""

import asyncio
from contextlib import AsyncExitStack
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.http import SECRETS_WITHHELD

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"
SECRETS = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "c", "Content-Type": "text/plain"}
BOTH = Guard([ip_network("127.0.0.0/8")])


def to(location, status=302):
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 5\r\n\r\nmoved".encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_followed_and_the_last_answer_counts(listening, look, status):
    async with listening(OK) as last, listening(to(last.url + "x?y", status)) as first:
        seen = await look(first.url)

    assert (seen.verdict, seen.status_code, seen.body) == (Verdict.up, 200, b"pinghome")
    assert last.last[0] == b"GET /x?y HTTP/1.1"
    assert first.connections == last.connections == 1


async def test_redirect_may_be_the_answer(listening, look):
    async with listening(OK) as last, listening(to(last.url)) as first:
        seen = await look(first.url, not_follow_redirect=True)

    assert (seen.verdict, seen.status_code, seen.body) == (Verdict.up, 302, b"moved")
    assert last.connections == 0


@pytest.mark.parametrize(
    ("location", "path"),
    [("/b", b"/b"), ("?q", b"/?q"), ("c#d", b"/c"), ("/ü b", b"/%C3%BC%20b"), ("//127.0.0.1:{port}/e", b"/e")],
)
async def test_location_may_be_relative(listening, look, location, path):
    answers = []

    async def answer(writer):
        writer.write(answers.pop(0))

    async with listening(answer) as target:
        answers += [to(location.format(port=target.port)), OK]
        seen = await look(target.url)

    assert seen.verdict is Verdict.up
    assert target.last[0] == b"GET " + path + b" HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        (301, "POST", b"GET", b""),
        (302, "POST", b"GET", b""),
        (303, "POST", b"GET", b""),
        (303, "PUT", b"GET", b""),
        (303, "HEAD", b"HEAD", b"data"),
        (301, "PUT", b"PUT", b"data"),
        (307, "POST", b"POST", b"data"),
        (308, "POST", b"POST", b"data"),
    ],
)
async def test_method_and_body_change_as_in_browsers(listening, look, status, method, then, body):
    async with listening(OK) as last, listening(to(last.url, status)) as first:
        await look(first.url, method=method, body="data", headers={"Content-Type": "text/plain"})

    line, headers, sent = last.last
    assert line == then + b" / HTTP/1.1"
    assert sent == body
    assert (b"Content-Type: text/plain" in headers) == bool(body)


async def test_own_headers_and_body_go_along_on_the_same_host_only(listening, look):
    harmless = {"Accept": "text/html", "Accept-Language": "de", "User-Agent": "mine"}
    async with listening(OK, host="127.0.0.2") as last, listening(to(last.url, 307)) as first:
        seen = await look(first.url, guard=BOTH, headers=SECRETS | harmless, method="POST", body="data")
    assert {f"{name}: {value}".encode() for name, value in SECRETS.items()} <= set(first.last[1])

    _, headers, body = last.last
    assert {f"{name}: {value}".encode() for name, value in harmless.items()} <= set(headers)
    assert not {header.partition(b":")[0] for header in headers} & {name.encode() for name in SECRETS}
    assert (body, seen.tolerated) == (b"", [SECRETS_WITHHELD])


@pytest.mark.parametrize(
    ("host", "tls", "sent"),
    [
        ("www.example.test", True, True),
        ("example.test", True, True),
        ("www.example.test", False, False),
        ("example.other", True, False),
        ("evil-example.test", True, False),
    ],
)
async def test_own_headers_go_along_to_the_same_registered_domain_over_https_only(
    listening, look, authority, host, tls, sent
):
    guard = Guard([ip_network("127.0.0.0/8")], lookup=lambda _: ["127.0.0.1"])
    context = authority.server(name=host) if tls else None
    async with listening(OK, tls=context) as last:
        to_host = f"{last.scheme}://{host}:{last.port}/"
        async with listening(to(to_host, 307)) as first:
            url = f"http://user:word@api.example.test:{first.port}/"
            seen = await look(url, guard=guard, headers={"X-Key": "secret"}, method="POST", body="data")

    _, headers, body = last.last
    assert seen.verdict is Verdict.up
    assert (b"X-Key: secret" in headers, b"Authorization: Basic dXNlcjp3b3Jk" in headers) == (sent, sent)
    assert (body, seen.tolerated) == ((b"data", []) if sent else (b"", [SECRETS_WITHHELD]))


async def test_nothing_is_said_where_there_was_nothing_to_leave_out(listening, look):
    async with listening(OK, host="127.0.0.2") as last, listening(to(last.url)) as first:
        assert (await look(first.url, guard=BOTH, headers={"Accept": "a/b"})).tolerated == []


async def test_headers_go_along_to_another_path_but_not_to_another_port(listening, look):
    answers = []

    async def answer(writer):
        writer.write(answers.pop(0))

    async with listening(OK) as other, listening(answer) as first:
        answers += [to("/again"), to(other.url)]
        await look(first.url, headers=SECRETS)

    assert b"Cookie: a=b" in first.last[1]
    assert b"Cookie: a=b" not in other.last[1]


async def test_headers_once_dropped_do_not_come_back(listening, look):
    answers = []

    async def answer(writer):
        writer.write(answers.pop(0))

    async with listening(answer) as first, listening(to(first.url), host="127.0.0.2") as away:
        answers += [to(away.url), OK]
        seen = await look(first.url, guard=BOTH, headers=SECRETS)

    assert seen.verdict is Verdict.up
    assert b"Cookie: a=b" in first.requests[0]
    assert b"Cookie: a=b" not in first.requests[1]


@pytest.mark.parametrize(
    ("hops", "most", "verdict"),
    [
        (10, {}, Verdict.up),
        (11, {}, Verdict.target_fail),
        (20, {"max_redirects": 20}, Verdict.up),
        (1, {"max_redirects": 0}, Verdict.target_fail),
        (0, {"max_redirects": 0}, Verdict.up),
    ],
)
async def test_as_many_redirects_are_followed_as_the_monitor_says_or_ten(listening, look, hops, most, verdict):
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(listening(OK))
        for _ in range(hops):
            target = await stack.enter_async_context(listening(to(target.url)))
        seen = await look(target.url, **most)

    assert seen.verdict is verdict
    assert seen.error == ("" if verdict is Verdict.up else f"more than {most.get('max_redirects', 10)} redirects")


async def test_loop_of_redirects_ends(listening, look):
    async with listening(to("/")) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, target.connections) == (Verdict.target_fail, "more than 10 redirects", 11)


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "127.2", "[::ffff:7f00:2]", "2130706434", "①②⑦.0.0.2", "169.254.169.254"]
)
async def test_redirect_to_a_forbidden_address_is_blocked_and_never_connected_to(listening, look, host):
    async with (
        listening(OK, host="127.0.0.2") as forbidden,
        listening(to(f"http://{host}:{forbidden.port}/latest/meta-data/")) as first,
    ):
        seen = await look(first.url)

    assert (seen.verdict, first.connections, forbidden.connections) == (Verdict.blocked, 1, 0)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "http://-x/", "http://[z]/", "app://x"])
async def test_redirect_to_what_is_no_web_page_is_the_targets_failure(listening, look, location):
    async with listening(to(location)) as target:
        seen = await look(target.url)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith("redirects to a URL that cannot be followed")


@pytest.mark.parametrize("body", [b"", b"a" * 100000])
async def test_redirect_is_followed_at_its_last_header(listening, look, body):
    async def answer(writer):
        writer.write(to(last.url) + body)
        await asyncio.sleep(10)

    async with listening(OK) as last, listening(answer) as first:
        assert (await look(first.url, deadline=1)).verdict is Verdict.up


async def test_phases_add_up_over_the_chain_and_total_is_wall_time(listening, look):
    async def answer(writer):
        await asyncio.sleep(0.1)
        writer.write(to(last.url))

    async def slow(writer):
        await asyncio.sleep(0.1)
        writer.write(OK)

    async with listening(slow) as last, listening(answer) as first:
        phases = (await look(first.url)).phases

    assert 200 <= phases.first_byte <= phases.total
    assert phases.first_byte + phases.connect <= phases.total < 5000


async def test_deadline_is_for_the_whole_chain(listening, look):
    async def answer(writer):
        await asyncio.sleep(0.2)
        writer.write(to("/"))

    async with listening(answer) as target:
        seen = await look(target.url, deadline=0.5)

    assert seen.verdict is Verdict.target_fail
    assert 1 <= target.connections <= 3
    assert seen.phases.total < 5000


@pytest.mark.parametrize("location", ["", " "])
async def test_redirect_that_does_not_say_where_is_the_answer(listening, look, location):
    async with listening(to(location)) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, target.connections) == (Verdict.up, 302, 1)
    assert seen.tolerated == ["the redirect has no Location header"]
