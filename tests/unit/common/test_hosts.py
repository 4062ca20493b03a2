"""Hosts and URLs are read in one place, as browsers read them today."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinghome_common.hosts import Url, parse_url, to_ascii


@pytest.mark.parametrize(
    ("host", "ascii_"),
    [
        ("straße.test", "xn--strae-oqa.test"),
        ("βόλος.test", "xn--nxasmm1c.test"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("EXAMPLE.com.", "example.com."),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),  # noqa: RUF001
        ("💩.la", "xn--ls8h.la"),
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("①②⑦.0.0.1", "127.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_host_is_read_by_idna_2008_with_uts_46(host, ascii_):
    assert to_ascii(host) == ascii_


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", ".a", "a" * 64, "ü" * 64, "a." * 130, "\udcff℀.example", "ü\u0301\u200d"]
)
def test_host_that_cannot_be_is_refused(host):
    with pytest.raises(ValueError, match="its host name is not valid"):
        to_ascii(host)


def test_url_is_taken_apart():
    url = parse_url("HTTPS://u:p@Straße.test:8443/a b?q#f")

    assert url == Url("https", "xn--strae-oqa.test", 8443, "u", "p", "/a b", "q")
    assert parse_url("http://[2001:DB8::1]") == Url("http", "2001:db8::1", None, None, None, "", "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "//a/", "http://", "http://:80/", "http:///a", "http://[::1/", "http://::1]/", "http://[zz]/"),
        *("http://a:b/", "http://a:0/", "http://a:99999/", "http://a:-1/", "http://[::1%25lo]/", "http://-a/"),
        *("http://a b/", "http://a..b/", "http://a%20b/", "http://a\0b/", "http://a/\nb", "http://a\\@b/", "http://℀/"),
    ],
)
def test_url_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match=r"not (valid|a valid URL)"):
        parse_url(text)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
@example("[::1")
@example("\ud800")
def test_whatever_the_text_it_is_a_url_or_a_sentence(text):
    for whole in (text, f"http://{text}", f"https://a/{text}", f"http://{text}:1/"):
        try:
            url = parse_url(whole)
        except ValueError:
            continue
        assert url.host.isascii()
        assert url.host == url.host.lower()
