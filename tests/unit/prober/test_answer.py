"""Answers are read as browsers read them: unpacked, in their own character set, and JSON in any encoding."""

import asyncio
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.condition import BODY, STATUS, Condition
from pinghome_common.events.probe import Job, Verdict
from pinghome_common.guard import Guard
from prober.answer import LIMIT, MISSING, Answer
from prober.conditions import first_failure
from prober.probe import probe
from prober.probes.probe_types import Observation

WORDS = "größe — βόλος 世界"
MIB = 1 << 20


def answer(body: bytes, **headers: str) -> Answer:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Answer(Observation(body=body, headers=named, complete=True))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": ("gzip", gzip.compress(WORDS.encode())),
    "x-gzip": ("X-GZIP", gzip.compress(WORDS.encode())),
    "gzip in two members": ("gzip", gzip.compress(WORDS[:5].encode()) + gzip.compress(WORDS[5:].encode())),
    "deflate": ("deflate", zlib.compress(WORDS.encode())),
    "raw deflate": ("deflate", raw_deflate(WORDS.encode())),
    "twice": ("deflate, gzip", gzip.compress(zlib.compress(WORDS.encode()))),
    "identity": ("identity", WORDS.encode()),
}


@pytest.mark.parametrize(("coding", "body"), PACKED.values(), ids=PACKED)
def test_packed_body_is_unpacked(coding, body):
    it = answer(body, content_encoding=coding)
    assert (it.text, it.problem, it.cut) == (WORDS, "", False)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bomb_is_unpacked_to_the_limit_and_no_further(coding):
    data = b"early" + b"\0" * (50 * MIB)
    it = answer(gzip.compress(data) if coding == "gzip" else zlib.compress(data), content_encoding=coding)

    assert (len(it.body), it.body[:5], it.cut) == (LIMIT, b"early", True)


def test_packed_body_that_is_cut_short_gives_what_there_is_of_it():
    assert (
        answer(gzip.compress(json.dumps(list(range(9999))).encode())[:-400], content_encoding="gzip").text[:9]
        == "[0, 1, 2,"
    )


@pytest.mark.parametrize(
    ("coding", "body", "problem"),
    [
        ("gzip", b"plain", "the answer is not valid gzip"),
        ("br", b"x", "the answer has the unsupported encoding br"),
        ("zstd", b"x", "the answer has the unsupported encoding zstd"),
    ],
)
def test_condition_on_a_body_that_cannot_be_unpacked_fails_and_says_so(coding, body, problem):
    seen = Observation(body=body, headers=[(b"Content-Encoding", coding.encode())], complete=True)
    for operator in ("contains", "not-contains"):
        assert first_failure([Condition(type=BODY, operator=operator, values=["a"])], seen).found == problem
    assert first_failure([Condition(type=STATUS, operator="not-equal", values=["500"])], seen) is None


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("cp1252", "iso-8859-1"),
        ("cp1252", "us-ascii"),
        ("iso8859-15", "ISO-8859-15"),
        ("cp932", "Shift_JIS"),
        ("euc_jp", "euc-jp"),
        ("gb18030", "gbk"),
        ("big5", "Big5"),
        ("cp949", "euc-kr"),
        ("cp1251", "windows-1251"),
        ("koi8-r", "koi8-r"),
        ("utf-8", "utf8"),
    ],
)
def test_character_set_is_taken_from_the_header_and_else_from_the_page(encoding, label):
    words = {"cp932": "世界", "euc_jp": "世界", "gb18030": "世界", "big5": "世界", "cp949": "한국", "cp1251": "мир",
             "koi8-r": "мир"}.get(encoding, "größe €" if label != "us-ascii" else "größe")  # fmt: skip
    page = f"<html><head><meta charset='{label}'>{words}"

    assert words in answer(words.encode(encoding), content_type=f'text/html; Charset="{label}"').text
    assert words in answer(page.encode(encoding), content_type="text/html").text
    older = f'<meta http-equiv="Content-Type" content="text/html; charset={label}">{words}'
    assert words in answer(older.encode(encoding)).text
    assert words in answer(f'<?xml version="1.0" encoding="{label}"?>{words}'.encode(encoding)).text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_byte_order_mark_is_believed_before_header_and_page(encoding):
    body = ("\ufeff" if encoding == "utf-16-be" else "") + "größe"
    assert answer(body.encode(encoding), content_type="text/html; charset=koi8-r").text == "größe"


def test_header_goes_before_the_page_and_what_is_no_character_set_is_passed_over():
    page = "<meta charset=koi8-r>größe"
    assert "größe" in answer(page.encode(), content_type="text/html; charset=utf-8").text
    for label in ("zlib", "unicode_escape", "punycode", "idna", "utf-7", "undefined", "x" * 40, "a\0b"):
        assert answer(b"plain", content_type=f"text/html; charset={label}").text == "plain"


DOCUMENT = {"größe": "💥", "n": 9007199254740993}
PLAIN = json.dumps(DOCUMENT, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        (PLAIN.encode(), ""),
        (PLAIN.encode("utf-8-sig"), ""),
        (PLAIN.encode("utf-16"), ""),
        (PLAIN.encode("utf-16-le"), ""),
        (PLAIN.encode("utf-16-be"), ""),
        (PLAIN.encode("utf-32"), ""),
        (PLAIN.encode("gb18030"), "gb18030"),
    ],
)
def test_json_is_read_in_any_encoding(body, declared):
    it = answer(body, content_type=f"application/json; charset={declared}" if declared else "application/json")
    assert it.document == DOCUMENT


def test_json_in_latin_1_and_with_half_an_emoji_is_read():
    assert answer('{"a": "größe"}'.encode("latin-1")).document == {"a": "größe"}
    half = rb'{"a": {"b": "\ud83d", "n": 9007199254740993}, "c": "ok\u0000"}'
    seen = Observation(body=half, complete=True)
    for key, value in {"c": "ok\0", "a.n": "9007199254740993"}.items():
        assert (
            first_failure([Condition(type="response-json-check", operator="equal", values=[value], key=key)], seen)
            is None
        )
    for operator in ("equal", "contains", "regex", "greater-than"):
        for key in ("a", "a.b", ""):
            failure = first_failure(
                [Condition(type="response-json-check", operator=operator, values=["x"], key=key)], seen
            )
            assert failure.found.startswith(("{", "\ufffd"))


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br", "gzip, gzip, gzip, gzip"]),
       st.sampled_from(["", "utf-16", "shift_jis", "iso-2022-jp", "x"]))  # fmt: skip
def test_whatever_the_answer_it_is_read_or_said_why_not(body, coding, charset):
    it = answer(body, content_encoding=coding, content_type=f"a/b; charset={charset}")

    assert len(it.body) <= LIMIT
    assert isinstance(it.text, str)
    assert it.document is MISSING or not it.problem


def job(url: str, *conditions: Condition) -> Job:
    return Job(resource=None, type="http", interval=5, url=url, conditions=list(conditions))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("operator", "value", "verdict"),
    [
        ("contains", "early", Verdict.up),
        ("regex", "^ear", Verdict.up),
        ("contains", "late", Verdict.target_fail),
        ("not-contains", "late", Verdict.target_fail),
    ],
)
async def test_keyword_that_came_early_in_an_endless_answer_counts(listening, operator, value, verdict):
    from ipaddress import ip_network

    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nearly ")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(drip) as target:
        it = job(target.url, Condition(type=BODY, operator=operator, values=[value]))
        seen = await probe(it, Guard([ip_network("127.0.0.1/32")]), lambda _: ({}, ""), tries=1)

    assert seen.verdict is verdict
    if verdict is Verdict.up:
        assert seen.tolerated == ["the answer did not end in time; the part received was evaluated"]
    else:
        assert "while reading the answer" in seen.error
