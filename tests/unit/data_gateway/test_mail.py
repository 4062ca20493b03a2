"""What a mail's subject says of a job."""

import pytest

from data_gateway.api.healthchecks.mail import _subject, kind_of
from pinghome_common.events.ping import Kind


@pytest.mark.parametrize(
    ("subject", "success", "fail", "said"),
    [
        ("anything", "", "", Kind.success),
        ("Backup DONE", "DONE", "", Kind.success),
        ("Backup done", "DONE", "", Kind.ign),
        ("Backup OK", "DONE, OK", "", Kind.success),
        ("Backup ERROR", "", "ERROR", Kind.fail),
        ("Backup fine", "", "ERROR", Kind.success),  # contract E.2: as the document says, not as the server does
        ("ERROR but DONE", "DONE", "ERROR", Kind.fail),
        ("neither", "DONE", "ERROR", Kind.ign),
        ("anything", " , ,", ",", Kind.success),
        ("", "DONE", "", Kind.ign),
    ],
)
def test_keywords_of_failure_go_first_and_are_parts_of_the_subject(subject, success, fail, said):
    assert kind_of(subject, success, fail) is said


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        (b"Subject: plain\r\n\r\nSubject: no\r\n", "plain"),
        (b"SUBJECT: =?utf-8?q?=C3=BCber?= =?iso-8859-1?b?/A==?=\r\n\r\n", "überü"),
        (b"Subject: a\r\n b\r\n\r\n", "a b"),
        (b"X: y\r\n\r\n", ""),
        (b"X: y\r\n Subject: no\r\nsubject: yes\r\nSubject: second\r\n\r\n", "yes"),
        (b"Subject: DONE " + b"x" * 5000 + b"\r\n\r\n", "DONE " + "x" * 3986),
        (b"", ""),
    ],
)
def test_subjects_are_decoded(head, subject):
    assert _subject(head) == subject


@pytest.mark.parametrize(
    "word", [b"=?utf-8?q?a?= ", b"=?utf-8?q?a?=\r\n ", b"=?utf-8?b?YQ==?=", b"=?", b'"', b"(", b"\\", b"\xff", b"\r\n "]
)
@pytest.mark.timeout(20)  # 23,000 encoded words took 8 s, twice as many four times as long
def test_a_subject_of_any_length_costs_a_moment(word):
    for _ in range(20):
        _subject(b"Received: x\r\nSubject: " + word * 100_000 + b"\r\n\r\nbody")
