"""Where secrets of a URL may go when it is changed."""

import pytest

from pinghome_common.origin import same_place

URL = "https://shop.test/a"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (URL, URL), (URL, "https://shop.test/b?c#d"), (URL, "https://SHOP.test:443/"), (URL, "https://me:x@shop.test/"),
        ("http://shop.test/", URL), ("http://shop.test:8080/", "https://shop.test:8080/"), ("shop.test", "shop.test"),
        ("http://[::1]:8080/", "http://[::1]:8080/x"),
    ],
)  # fmt: skip
def test_same_place_keeps_secrets(old: str, new: str):
    assert same_place(old, new)


@pytest.mark.parametrize(
    "new",
    [
        "http://shop.test/a", "https://shop.test:8443/a", "https://evil.test/a", "https://shop.test.evil.test/a",
        "https://shop.test@evil.test/a", "https://evil.test\\@shop.test/a", "https://a.shop.test/", "", "shop.test",
        "https://[::1", "https://shop.test:99999/", "ftp://shop.test/", "//shop.test/", "https:///a", "https://shop.test./",
    ],
)  # fmt: skip
def test_any_other_place_does_not(new: str):
    assert not same_place(URL, new)


def test_http_to_https_does_not_change_the_port():
    assert not same_place("http://shop.test:8080/", "https://shop.test/")
