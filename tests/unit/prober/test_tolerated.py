"""Answers that HTTP does not allow and curl and browsers read: up, and the result says what was tolerated."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinghome_common.events.probe import Verdict
from prober.probes.http_exchange import Exchange

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"4\r\nping\r\n4\r\nhome\r\n0\r\n\r\n"
LOOSE = "chunks are not framed correctly"
ANSWERS = {
    "the same length twice": (
        OK + b"Content-Length: 8\r\nContent-Length: 8\r\n\r\npinghome",
        "Content-Length is sent more than once",
    ),
    "the same length twice in a line": (
        OK + b"Content-Length: 8, 8\r\n\r\npinghome",
        "Content-Length is sent more than once",
    ),
    "a length before chunks": (
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        "Content-Length is sent together with chunks",
    ),
    "a length behind chunks": (
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + CHUNKS,
        "Content-Length is sent together with chunks",
    ),
    "identity": (OK + b"Transfer-Encoding: identity\r\n\r\npinghome", "Transfer-Encoding is identity"),
    "identity with a length": (
        OK + b"Transfer-Encoding: identity\r\nContent-Length: 8\r\n\r\npinghome",
        "Transfer-Encoding is identity",
    ),
    "spaces behind a chunk's size": (CHUNKED + CHUNKS.replace(b"4\r\n", b"4  \r\n"), LOOSE),
    "bare line feeds in chunks": (CHUNKED + CHUNKS.replace(b"\r\n", b"\n"), LOOSE),
    "bare line feeds behind sizes": (CHUNKED + CHUNKS.replace(b"4\r\n", b"4\n"), LOOSE),
    "bare line feeds behind chunks": (CHUNKED + CHUNKS.replace(b"ping\r\n", b"ping\n"), LOOSE),
    "two carriage returns in chunks": (CHUNKED + CHUNKS.replace(b"\r\n", b"\r\r\n"), LOOSE),
    "no line end behind a chunk": (CHUNKED + CHUNKS.replace(b"home\r\n", b"home"), LOOSE),
    "a space before a colon": (
        OK + b"X-A : 1\r\nContent-Length : 8\r\n\r\npinghome",
        "a header has a space before its colon",
    ),
    "odd bytes in a name": (
        OK + b"X(\xe4: 1\r\nContent-Length: 8\r\n\r\npinghome",
        "a header name has characters that HTTP does not allow",
    ),
    "no colon": (OK + b"X-A\r\nContent-Length: 8\r\n\r\npinghome", "a header line has no colon"),
    "a folded header": (OK + b"X: a\r\n b\r\nContent-Length: 8\r\n\r\npinghome", "a header is folded over two lines"),
    "control characters": (
        OK + b"X: \x01\0\r\nContent-Length: 8\r\n\r\npinghome",
        "a header value has control characters",
    ),
    "CR CR LF": (
        OK.replace(b"\r", b"\r\r") + b"Content-Length: 8\r\r\n\r\r\npinghome",
        "header lines end with two carriage returns",
    ),
    "LF": (b"HTTP/1.1 200 OK\nContent-Length: 8\n\npinghome", "header lines end without a carriage return"),
    "two spaces in the status line": (
        b"HTTP/1.1  200 OK\r\nContent-Length: 8\r\n\r\npinghome",
        "the status line has more than one space before the status",
    ),
    "small letters": (
        b"http/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome",
        "the status line does not begin with HTTP in capitals",
    ),
    "an interim answer before": (
        b"HTTP/1.1 100 Continue\r\n\r\nhttp/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome",
        "the status line does not begin with HTTP in capitals",
    ),
}
REFUSED = {
    "two lengths": OK + b"Content-Length: 8\r\nContent-Length: 9\r\n\r\npinghome",
    "no length": OK + b"Content-Length: 8x\r\n\r\npinghome",
    "no size": CHUNKED + b"zz\r\n",
    "a chunk that ends early": CHUNKED + b"4 \r\npi",
    "a length that is not reached": OK + b"X : 1\r\nContent-Length: 9\r\n\r\npinghome",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("answer", "sentence"), ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("piece", [1, 1 << 20])
async def test_answer_that_browsers_read_is_up_and_says_what_was_tolerated(listening, look, answer, sentence, piece):
    async def serve(writer):
        for at in range(0, len(answer), piece):
            writer.write(answer[at : at + piece])
            await writer.drain()
            await asyncio.sleep(0)

    async with listening(serve) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, seen.body) == (Verdict.up, "", b"pinghome")
    assert seen.tolerated == [sentence]


@pytest.mark.asyncio(loop_scope="module")
async def test_regular_answer_says_nothing(listening, look):
    for answer in (CHUNKED + CHUNKS, OK + b"Content-Length: 8\r\n\r\npinghome", OK + b"X: \xff\r\n\r\npinghome"):
        async with listening(answer) as target:
            seen = await look(target.url)

        assert (seen.verdict, seen.body, seen.tolerated) == (Verdict.up, b"pinghome", [])


@pytest.mark.asyncio(loop_scope="module")
async def test_answer_to_head_with_the_same_length_twice_or_chunks_is_up(listening, look):
    for more in (b"Content-Length: 8\r\n", b"Transfer-Encoding: chunked\r\n"):
        async with listening(OK + b"Content-Length: 8\r\n" + more + b"\r\n") as target:
            seen = await look(target.url, method="HEAD")

        assert (seen.verdict, len(seen.tolerated)) == (Verdict.up, 1)


@pytest.mark.asyncio(loop_scope="module")
async def test_irregular_redirect_is_followed_and_still_told(listening, look):
    async with (
        listening(OK + b"Content-Length: 8\r\n\r\npinghome") as last,
        listening(b"HTTP/1.1 302 Found\r\nX : 1\r\nLocation: " + last.url.encode() + b"\r\n\r\n") as first,
    ):
        seen = await look(first.url)

    assert (seen.verdict, seen.tolerated) == (Verdict.up, ["a header has a space before its colon"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
async def test_answer_that_no_browser_reads_is_down(listening, look, answer):
    async with listening(answer) as target:
        seen = await look(target.url)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith(("did not answer in HTTP/1.1: ", "closed the connection in the middle"))


def heard(answer: bytes, cuts: set[int]) -> tuple[int, bytes, list[str], str]:
    async def run():
        exchange = Exchange("GET", follow=False)
        edges = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
        for begin, end in pairwise(edges):
            exchange.data_received(answer[begin:end])
        exchange.connection_lost(None)
        return exchange.status, exchange.body, exchange.tolerated, str(exchange.failure or "")

    return asyncio.run(run())


@given(st.sampled_from([*ANSWERS.values()]), st.sets(st.integers(1, 120), max_size=5))
@settings(deadline=None)
def test_where_an_answer_is_cut_into_pieces_does_not_matter(answer, cuts):
    assert heard(answer[0], cuts) == (200, b"pinghome", [answer[1]], "")


@given(
    st.lists(
        st.sampled_from(
            [
                OK,
                b"http/1.1  200\n",
                b"X : 1\r\n",
                b"\r\n",
                b"\n",
                b"\0",
                b"4 \r\n",
                b"ping",
                b"0\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Length: 4\n",
            ]
        )
        | st.binary(max_size=9),
        max_size=12,
    )
)
@settings(deadline=None)
def test_whatever_comes_the_exchange_ends_without_an_error_of_ours(pieces):
    heard(b"".join(pieces), set())
