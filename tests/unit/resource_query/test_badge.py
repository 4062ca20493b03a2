"""Badges' signatures, keys, states and pictures (contract B.7)."""

import xml.etree.ElementTree as ET
from uuid import uuid4

import pytest

from pinghome_common.settings import Settings
from resource_query.api.healthchecks.badge_image import overall, svg
from resource_query.api.healthchecks.badge_keys import Signer, signature, signer

KEY, SECRET = "67541b37-8b9c-4d17-b952-690eae", "oracle-secret-key"


@pytest.mark.parametrize(("tag", "sign"), [("*", "017IaURK"), ("db", "LMCRyKV6")])
def test_signature_is_that_of_the_real_server(tag: str, sign: str):
    assert signature(KEY, tag, SECRET) == sign


def test_badge_key_names_its_service_to_us_and_to_nobody_else():
    ours, others = Signer("ab" * 32), Signer("cd" * 32)
    service = uuid4()
    key = ours.key(service)
    assert ours.service(key) == service
    assert others.service(key) != service
    assert ours.key(service) == key != others.key(service) != str(service)
    assert [ours.service(text) for text in ("", "x", KEY, str(service) + "0")] == [None] * 4


def test_signature_of_another_tag_key_or_secret_is_refused():
    ours = Signer("ab" * 32)
    sign = ours.sign(KEY, "db")
    assert ours.verify(KEY, "db", sign)
    assert not ours.verify(KEY, "web", sign)
    assert not ours.verify(KEY + "0", "db", sign)
    assert not Signer("cd" * 32).verify(KEY, "db", sign)


def test_secret_is_made_of_the_secret_key_which_itself_is_not_needed():
    whole = signer(Settings(secret_key="one secret"))
    assert whole == signer(Settings(secret_key="one secret"))
    assert whole.secret != signer(Settings(secret_key="other")).secret
    assert signer(Settings(badge_secret=whole.secret)) == whole
    with pytest.raises(ValueError, match="PINGHOME_SECRET_KEY"):
        signer(Settings())


@pytest.mark.parametrize(
    ("statuses", "three", "two"),
    [
        ([], "up", "up"),
        (["new", "paused", "up"], "up", "up"),
        (["up", "grace"], "late", "up"),
        (["grace", "down", "up"], "down", "down"),
    ],
)
def test_worst_check_makes_the_badge_and_two_states_know_no_late(statuses: list[str], three: str, two: str):
    for two_states, status in ((False, three), (True, two)):
        found = overall(statuses, two_states=two_states)
        assert (found.status, found.total) == (status, len(statuses))
        assert (found.grace, found.down) == (statuses.count("grace"), statuses.count("down"))


@pytest.mark.parametrize("label", ["db", "<script>alert(1)</script>", "a\"b'c&d", "é\u4e16", "x" * 500])
def test_picture_is_well_formed_whatever_the_tag(label: str):
    for status, color in (("up", "#4c1"), ("late", "#fe7d37"), ("down", "#e05d44")):
        root = ET.fromstring(svg(label, status))  # noqa: S314  # our own
        texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == [label, label, status, status]
        assert color in svg(label, status)
        assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


@pytest.mark.parametrize("label", ["a\0b", "a\x1bb", "a\x0bb", "a\x7fb", "a\ufffeb", "a\x85b", "a\u2028b", "a\ud800b"])
def test_control_characters_of_a_tag_are_no_part_of_the_picture(label: str):
    root = ET.fromstring(svg(label, "up").encode())  # noqa: S314  # our own
    assert {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")} <= {"ab", "a b", "a\ufffdb", "up"}
