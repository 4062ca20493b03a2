"""Cookies that a chain of redirects sets are sent on along it, to whom they are for and nobody else."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.cookies import MAX_COOKIES, Jar, merged

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"


def jar(*cookies: str, host: str = "www.example.co.uk", path: str = "/a/b") -> Jar:
    made = Jar()
    made.take([(b"Set-Cookie", cookie.encode()) for cookie in cookies], host, path)
    return made


@pytest.mark.asyncio(loop_scope="module")
async def test_consent_gate_opens_for_who_comes_back_with_its_cookie(listening, look):
    async def answer(writer):
        if b"Cookie: own=1; consent=yes\r\n" in target.requests[-1]:
            writer.write(OK)
        else:
            cookies = b"Set-Cookie: consent=yes; Path=/; HttpOnly\r\nset-cookie: gone=1; Max-Age=0\r\n"
            writer.write(b"HTTP/1.1 302 Found\r\n" + cookies + b"Location: /\r\n\r\n")

    async with listening(answer) as target:
        seen = await look(target.url, headers={"Cookie": "own=1"})

    assert (seen.verdict, seen.body, target.connections) == (Verdict.up, b"pinghome", 2)


@pytest.mark.asyncio(loop_scope="module")
async def test_cookies_are_not_sent_to_another_host_and_not_kept_for_the_next_probe(listening, look):
    guard = Guard([ip_network("127.0.0.0/8")])
    async with (
        listening(OK, host="127.0.0.2") as last,
        listening(b"HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: " + last.url.encode() + b"\r\n\r\n") as first,
    ):
        for _ in range(2):
            await look(first.url, guard=guard)

    assert not [request for request in first.requests + last.requests if b"\r\ncookie:" in request.lower()]


@pytest.mark.parametrize(
    ("cookie", "host", "path", "tls", "sent"),
    [
        ("a=b", "www.example.co.uk", "/a/c", False, "a=b"),
        ("a=b", "www.example.co.uk", "/x", False, ""),
        ("a=b; Path=/", "www.example.co.uk", "/x?y=/z", False, "a=b"),
        ("a=b; Path=/a", "www.example.co.uk", "/ab", False, ""),
        ("a=b; Path=/", "sub.www.example.co.uk", "/", False, ""),
        ("a=b; Path=/; Domain=example.co.uk", "shop.example.co.uk", "/", False, "a=b"),
        ("a=b; Path=/; Domain=.EXAMPLE.co.uk", "example.co.uk", "/", False, "a=b"),
        ("a=b; Path=/; Domain=co.uk", "www.example.co.uk", "/", False, ""),
        ("a=b; Path=/; Domain=other.test", "other.test", "/", False, ""),
        ("a=b; Path=/; Domain=xample.co.uk", "www.example.co.uk", "/", False, ""),
        ("a=b; Path=/; Secure", "www.example.co.uk", "/", False, ""),
        ("a=b; Path=/; Secure", "www.example.co.uk", "/", True, "a=b"),
        ("a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "www.example.co.uk", "/", True, ""),
        ("a=b; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "www.example.co.uk", "/", True, "a=b"),
        ("a=größe 1; Path=/", "www.example.co.uk", "/", False, "a=größe 1"),
        ("a=b\r\nX: y; Path=/", "www.example.co.uk", "/", False, ""),
        ("a b=c; Path=/", "www.example.co.uk", "/", False, ""),
        ("no pair", "www.example.co.uk", "/a/b", False, ""),
    ],
)
def test_cookie_is_sent_to_whom_it_is_for(cookie, host, path, tls, sent):
    assert jar(cookie).header(host, path, tls=tls) == sent


def test_newer_cookie_replaces_and_deletes():
    kept = jar("a=1; Path=/", "a=2; Path=/", "b=1; Path=/", "b=; Path=/; Max-Age=0")
    assert kept.header("www.example.co.uk", "/", tls=False) == "a=2"
    assert merged("a=0;c=3", "a=2") == "c=3; a=2"


def test_cookies_are_bounded():
    kept = jar(*(f"c{number}=x; Path=/" for number in range(MAX_COOKIES + 50)), "long=" + "x" * 5000)
    assert len(kept.header("www.example.co.uk", "/", tls=False).split("; ")) == MAX_COOKIES


def test_address_shares_its_cookies_with_nobody():
    assert jar("a=b; Path=/; Domain=0.0.1", host="127.0.0.1").header("9.0.0.1", "/", tls=False) == ""


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), max_size=5), st.text(max_size=20))
def test_whatever_is_set_no_line_is_broken(cookies, path):
    header = jar(*cookies, *(f"a={cookie}" for cookie in cookies), path=path).header(
        "www.example.co.uk", path, tls=True
    )

    assert not set(header) & {"\r", "\n", "\0"}
