"""Answers of WHOIS servers: what they say, and that none takes long to read."""

import time
from datetime import UTC, datetime

import pytest
from asyncwhois import tldparsers
from asyncwhois.errors import NotFoundError
from asyncwhois.parse import TLDBaseKeys

from resource_cmd.expiry.whois import LARGEST, Parser, bounded

ANSWERS = {
    "com": "Domain Name: EXAMPLE.COM\r\nRegistry Expiry Date: 2031-01-02T03:04:05Z\r\nRegistrar: A, Inc.\r\n",
    "fr": "%% comment\n" * 500 + "domain: example.fr\nregistrar: A, Inc.\nExpiry Date: 2031-01-02T03:04:05Z\n",
    "hk": "Domain Name: example.hk\nRegistrar Name: A, Inc.\nExpiry Date: 02-01-2031\n",
    "uk": "Domain name:\r\n    example.uk\r\nRegistrar:\r\n    A, Inc.\r\nExpiry date:  02-Jan-2031\r\n",
    "jp": "[Domain Name] EXAMPLE.JP\n[有効期限]        2031/01/02\n",
}


@pytest.mark.parametrize("suffix", ANSWERS)
def test_expiry_is_read_in_the_words_of_each_registry(suffix: str):
    told = Parser().parse(ANSWERS[suffix], suffix)
    assert told[TLDBaseKeys.DOMAIN_NAME]
    expires = told[TLDBaseKeys.EXPIRES]
    assert (expires.year, expires.day) == (2031, 1 if expires.month == 2 else 2)


def test_domain_that_is_not_known_is_said_so():
    with pytest.raises(NotFoundError):
        Parser().parse("No match for domain", "com")


WORDS = (
    *("Domain Name:", "Registrar", "Registrar:\n", "[Registrant Contact Information", "Domain ", "created.", "Expir"),
    *("Record created on ", "[Registrar]\n", "Relevant dates:", "Registrant Contact:\n", "\n", "\t", " ", "x"),
)
FILLERS = ("", " ", "\n", " \n", ".", "\t")
KINDS = [name.removeprefix("Regex") for name in vars(tldparsers) if name.startswith("Regex")]


@pytest.mark.parametrize("word", WORDS)
def test_no_answer_takes_long_to_read_whatever_the_suffix(word: str):
    """In CPU seconds for all of 80 suffixes and 6 answers; single ones took minutes."""
    begun = time.process_time()
    for suffix in (*KINDS, "com"):
        for filler in FILLERS:
            text = (word + filler) * ((1 << 16) // len(word + filler))
            Parser().parse(text, suffix)
    assert time.process_time() - begun < 60


def test_answer_is_bounded_in_lines_and_characters():
    assert bounded("x" * 999 + "\n% no\n# no\nyes") == "x" * 200 + "\nyes"
    assert bounded("a\n" * 9999).count("a") == 400
    assert len(bounded(("a" * 300 + "\n") * 9999)) == LARGEST


def test_moment_is_what_the_registry_gave():
    told = Parser().parse(ANSWERS["com"], "com")
    assert told[TLDBaseKeys.EXPIRES].replace(tzinfo=UTC) == datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
