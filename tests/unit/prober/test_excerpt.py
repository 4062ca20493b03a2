"""What is shown of an answer: never more than 4 KiB, never a control character, never what was sent in secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.excerpt import LIMIT, excerpt


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


@given(st.binary(max_size=9000))
def test_every_answer_gives_text_within_the_limit(answer):
    shown = excerpt(answer, [])

    assert len(shown.encode()) <= LIMIT
    assert all(letter in "\n\t" or not (ord(letter) < 32 or 127 <= ord(letter) < 160) for letter in shown)
