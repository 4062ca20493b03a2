"""Plain text of clean HTML."""

import pytest

from pinghome_common.plain import plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Just text", "Just text"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two", "One\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ('<a href="https://x.test/">here</a>', "here (https://x.test/)"),
        ('<a href="https://x.test/">https://x.test/</a>', "https://x.test/"),
        ("<b>bold <i>both</i></b>", "bold both"),
        ("</a></p>", ""),
    ],
)
def test_what_html_says_is_kept(html: str, text: str):
    assert plain(html, 1000) == text


def test_long_texts_are_cut():
    assert plain("x" * 20, 10) == "x" * 9 + "…"
