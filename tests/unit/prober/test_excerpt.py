"""What is shown of an answer: never more than 4 KiB, never a control character, never what was sent in secret."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.excerpt import LIMIT, excerpt, masked, without_secrets


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (b"", ""),
        (b"plain\n\ttext", "plain\n\ttext"),
        ("grüße 💥".encode(), "grüße 💥"),
        (b"a\r\nb\x00c\x1b[31md\x7f", "a\nbc[31md"),
        ("a\u0085b\u009fc".encode(), "abc"),
        (b"\xff\xfea", "��a"),
        (b"x" * 9999, "x" * LIMIT),
        ("é".encode() * 4000, "é" * (LIMIT // 2)),
        (b"\xff" * 9999, "�" * (LIMIT // 3)),
    ],
)
def test_excerpt_is_text_of_four_kib(answer, shown):
    assert excerpt(answer, []) == shown


def test_what_was_sent_in_secret_is_masked_also_where_the_cut_would_go_through_it():
    secret = "a-token-of-some-length"
    assert excerpt(f"you sent {secret}".encode(), ["x", secret, ""]) == "you sent ********"
    cut = excerpt(b"x" * (LIMIT - 5) + secret.encode(), [secret])
    assert cut == "x" * (LIMIT - 5) + "*****"


SECRET = 'pä$$ "word" <of> a+b/c, which is long enough'
FORMS = {
    "plain": SECRET,
    "part": SECRET[5:14],
    "JSON": json.dumps(SECRET),
    "JSON in its own letters": json.dumps(SECRET, ensure_ascii=False),
    "URL": quote(SECRET),
    "form": quote_plus(SECRET),
    "URL in small letters": re.sub("%..", lambda it: it[0].lower(), quote(SECRET, safe="")),
    "HTML": escape(SECRET),
    "base64": b64encode(SECRET.encode()).decode(),
    "base64 behind one": b64encode(b"x" + SECRET.encode()).decode(),
    "base64 behind two": b64encode(b"xy" + SECRET.encode() + b"z").decode(),
    "base64 for URLs behind some": urlsafe_b64encode(b"xyz>?" + SECRET.encode()).decode(),
}


@pytest.mark.parametrize(("name", "form"), FORMS.items(), ids=FORMS)
def test_secret_is_masked_in_every_form_and_in_part(name, form):
    (shown,) = masked([f"you sent: {form}."], [SECRET])

    assert shown.startswith("you sent:")
    assert "********" in shown
    for at in range(8 if "base64" in name and "behind" in name else 0, len(form) - 9):
        assert form[at : at + 6] not in shown, shown


def test_credentials_of_basic_are_masked_as_what_they_mean():
    basic = "Basic " + b64encode(b"admin:correct-horse").decode()
    assert masked(["Hello admin, correct-horse is wrong"], [basic]) == ["Hello admin, ******** is wrong"]


def test_what_is_no_part_of_a_secret_stays():
    text = "answered 503 Service Unavailable"
    assert masked([text, "", "short"], ["token-1234567", "short", ""]) == [text, "", "short"]


async def test_long_body_is_looked_for_beside_the_loop():
    body = "".join(f"{number} is sent. " for number in range(4000))
    assert await without_secrets(["you said 1234 is sent. 1235", "nothing"], [body]) == ["you said********", "nothing"]


@given(st.text(max_size=40), st.text(max_size=30), st.text(max_size=40))
def test_no_part_of_six_characters_is_left(before, secret, after):
    (shown,) = masked([before + secret + after], [secret])

    pieces = shown.split("********")
    assert not [at for at in range(len(secret) - 5) for piece in pieces if secret[at : at + 6] in piece]
    assert len(secret) >= 6 or shown == before + secret + after


@given(st.binary(max_size=9000))
def test_every_answer_gives_text_within_the_limit(answer):
    shown = excerpt(answer, [])

    assert len(shown.encode()) <= LIMIT
    assert all(letter in "\n\t" or not (ord(letter) < 32 or 127 <= ord(letter) < 160) for letter in shown)
