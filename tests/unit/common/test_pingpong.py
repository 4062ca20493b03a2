"""Ids, paths and messages of PingPong's dialect."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.dialects.pingpong import long, short
from pinghome_common.dialects.pingpong_documents import wrapped
from pinghome_common.dialects.pingpong_paths import canonical, verbs
from pinghome_common.html import clean


@given(st.uuids())
def test_ids_have_22_letters_and_digits_and_lead_back(id_: UUID):
    text = short(id_)
    assert (len(text), text.isalnum(), text.isascii()) == (22, True, True)
    assert long(text) == id_


@given(st.one_of(st.none(), st.integers(), st.text(max_size=25), st.text("09AZaz", min_size=22, max_size=22)))
def test_one_id_has_one_text(text: object):
    found = long(text)
    assert found is None or short(found) == text


def test_largest_id_and_what_is_beyond_it():
    assert short(UUID(int=0)) == "0" * 22
    largest = short(UUID(int=2**128 - 1))
    assert largest == "7n42DGM5Tflk9n8mt7Fhc7"
    assert long(largest[:-1] + "8") is None
    assert long("z" * 22) is None


@pytest.mark.parametrize(
    ("alias", "path"),
    [
        ("/rest/v1/components/", "/rest/v1/components"),
        ("/rest/v1/component_groups/x/", "/rest/v1/component-groups/x"),
        ("/rest/v1/groups", "/rest/v1/component-groups"),
        ("/rest/v1/groups/groups", "/rest/v1/component-groups/groups"),
        ("/rest/v1/maintenances/x", "/rest/v1/maintenance/x"),
        ("/rest/v1/incidents/active", "/rest/v1/incidents/ongoing"),
        ("/rest/v1/incidents/active/updates", "/rest/v1/incidents/active/updates"),
        ("/rest/v1/groupsx", "/rest/v1/groupsx"),
        ("/rest/v1/", "/rest/v1"),
        ("/widget/shields/status/sp_a_b/", "/widget/shields/status/sp_a_b"),
    ],
)
def test_aliases_lead_to_one_path(alias: str, path: str):
    assert canonical(alias) == path
    assert canonical(path) == path


def test_ongoing_incidents_are_no_incident():
    assert verbs("/rest/v1/incidents/ongoing") == ("GET",)
    assert verbs("/rest/v1/incidents/x") == ("GET", "PUT", "PATCH")
    assert verbs("/rest/v1/nothing") == ()


@given(st.recursive(st.text("ab <>&", max_size=5), lambda inner: inner.map(lambda it: f"<div>{it}</div>{it}")))
def test_messages_stand_in_one_div_however_often_they_are_sent_back(message: str):
    shown = wrapped(clean(message))
    assert wrapped(clean(shown)) == shown
