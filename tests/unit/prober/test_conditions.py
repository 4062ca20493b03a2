"""What a user demands of an answer."""

import asyncio
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.condition import OPERATORS, Condition, pattern, steps
from pinghome_common.events.probe import Job, Phases, Verdict
from prober.conditions import find, first_failure, holds
from prober.evaluation import evaluate
from prober.probe import needs_evaluation, with_outcome
from prober.probes.probe_types import Observation

DOCUMENT = {
    "groups": {"user": [{"name": "pinghome", "age": 7, "admin": True, "boss": None}, {"name": "other"}]},
    "a b": {"dots.inside": 1.5},
    "tags": ["red", "blue", 3],
}


def seen(body=DOCUMENT, status=200, verdict=Verdict.up, total=12.5, headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Observation(
        verdict=verdict, status_code=status, body=raw, headers=list(headers), phases=Phases(total=total), complete=True
    )


def condition(operator, *values, type="response-json-check", key=""):
    return Condition(type=type, operator=operator, values=list(values), key=key)


def judged(answer, conditions):
    return (
        with_outcome(answer, conditions, asyncio.run(evaluate(conditions, answer)))
        if needs_evaluation(answer, conditions)
        else answer
    )


def meets(answer, *conditions):
    return first_failure(conditions, answer) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("groups.user[0].name", ["pinghome"]),
        ("$.groups.user[1].name", ["other"]),
        ("groups.user[-1].name", ["other"]),
        ("groups.user[*].name", ["pinghome", "other"]),
        ("groups['user'][0]['age']", [7]),
        ('["a b"]["dots.inside"]', [1.5]),
        ("tags[2]", [3]),
        ("tags.*", ["red", "blue", 3]),
        ("", [DOCUMENT]),
        ("groups.nobody[0].name", []),
        ("groups.user[7]", []),
        ("tags.name", []),
    ],
)
def test_a_path_finds_values(path, found):
    assert find(DOCUMENT, path) == found


@pytest.mark.parametrize("path", ["a[", "a[x]", "a..b", "[0", "a b", "a[1.5]", "a['", "..a"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="not a valid path"):
        steps(path)


@pytest.mark.parametrize(
    ("operator", "values", "key", "expected"),
    [
        ("equal", ["pinghome"], "groups.user[0].name", True),
        ("equal", ["x", "pinghome"], "groups.user[0].name", True),
        ("equal", ["7"], "groups.user[0].age", True),
        ("equal", ["7.0"], "groups.user[0].age", True),
        ("equal", ["true"], "groups.user[0].admin", True),
        ("equal", ["1"], "groups.user[0].admin", False),
        ("equal", ["null"], "groups.user[0].boss", True),
        ("equal", ["pinghome"], "groups.nobody", False),
        ("not-equal", ["pinghome", "x"], "groups.user[0].name", False),
        ("not-equal", ["x", "y"], "groups.user[0].name", True),
        ("contains", ["home"], "groups.user[0].name", True),
        ("contains", ["blue"], "tags", True),
        ("contains", ["lue"], "tags", False),
        ("contains", ["user"], "groups", True),
        ("not-contains", ["green"], "tags", True),
        ("greater-than", ["6"], "groups.user[0].age", True),
        ("less-than", ["7"], "groups.user[0].age", False),
        ("greater-than", ["6"], "groups.user[0].name", False),
        ("exists", [""], "groups.user[0].boss", True),
        ("exists", [""], "groups.user[2]", False),
        ("not-exists", [""], "groups.user[2]", True),
        ("regex", ["^ping.*e$"], "groups.user[0].name", True),
        ("regex", ["^home"], "groups.user[0].name", False),
    ],
)
def test_json_operators(operator, values, key, expected):
    assert meets(seen(), condition(operator, *values, key=key)) is expected


def test_body_status_time_and_header():
    answer = seen(b"all is well", 204, total=80.0, headers=[(b"X-Server", b"one"), (b"x-server", b"two")])
    assert meets(answer, condition("contains", "well", type="response-body-check"))
    assert meets(answer, condition("equal", "200", "204", type="response-status-check"))
    assert meets(answer, condition("less-than", "100", type="response-time-check"))
    assert not meets(answer, condition("less-than", "80", type="response-time-check"))
    assert meets(answer, condition("equal", "two", type="response-header-check", key="X-SERVER"))
    assert not meets(answer, condition("exists", "", type="response-header-check", key="etag"))


UNREADABLE = {
    b"<html>Log in</html>": "the answer is not JSON",
    b" ": "the answer is empty, not JSON",
    b'{"a": [1, 2': "the answer is not JSON",
    b'{"a": "' + b"x" * (1 << 20): "the answer is longer than 1 MiB, too long for JSON",
}


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(("body", "reason"), UNREADABLE.items(), ids=UNREADABLE.values())
def test_condition_that_cannot_be_judged_fails_and_says_why(operator, body, reason):
    failure = first_failure([condition(operator, "x", key="a")], seen(body))

    assert failure.sentence == f"response-json-check a {operator} x: {reason}"


def test_keyword_behind_the_first_mebibyte_is_told_apart_from_one_that_is_not_there():
    long = b"early" + b" " * (1 << 20)
    keyword = condition("contains", "late", type="response-body-check")

    assert first_failure([keyword], seen(long)).sentence.endswith(": not within the first MiB of the answer")
    assert first_failure([keyword], seen(b"early")).sentence.endswith(": found early")
    assert meets(seen(long), condition("contains", "early", type="response-body-check"))


@pytest.mark.parametrize(
    ("value", "want", "equal"),
    [
        ("9007199254740993", "9007199254740992", False),
        ("9007199254740993", "9007199254740993", True),
        ("1000", "1_000", False),
        ("1000", "1e3", True),
        ("1000", "1000.0", True),
        ("0.1", "0.10", True),
        ('"1000"', "1000.0", False),
        ("1e999", "inf", False),
        ("1" * 400, "1" * 399 + "2", False),
    ],
)
def test_numbers_are_compared_exactly_and_as_json_writes_them(value, want, equal):
    assert meets(seen(f'{{"n": {value}}}'.encode()), condition("equal", want, key="n")) is equal


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ('["it\'s"]', [1]),
        ("['say \"x\"']", [2]),
        ('["say \\"x\\""]', [2]),
        ('[""]', [3]),
        ("a['']", [4]),
        ('["a\\\\b"]', [5]),
        ('["a]b"]', [6]),
    ],
)
def test_keys_with_quotes_and_empty_keys_can_be_named(path, found):
    document = {"it's": 1, 'say "x"': 2, "": 3, "a": {"": 4}, "a\\b": 5, "a]b": 6}
    assert find(document, path) == found


def test_the_sentence_says_what_was_wanted_and_what_was_found():
    failure = first_failure([condition("equal", "other", key="groups.user[0].name")], seen())
    assert failure.sentence == "response-json-check groups.user[0].name equal other: found pinghome"


def test_conditions_decide_on_a_good_status_and_a_status_condition_on_any():
    conditions = [condition("contains", "groups", type="response-body-check")]
    assert judged(seen(), conditions).verdict is Verdict.up
    assert judged(seen(status=500, verdict=Verdict.target_fail), conditions).verdict is Verdict.target_fail
    any_status = [*conditions, condition("equal", "500", type="response-status-check")]
    assert judged(seen(status=500, verdict=Verdict.target_fail), any_status).verdict is Verdict.up
    late = Observation(verdict=Verdict.target_fail, status_code=500, error="timed out")
    assert judged(late, any_status).verdict is Verdict.target_fail
    assert Job(resource=None, type="http", interval=60).conditions == []


def test_a_hostile_expression_or_answer_takes_no_time():
    begun = time.thread_time()
    assert not holds("regex", ["(a+)+$"], ["a" * 100_000 + "b"])
    find([[[[0] * 100] * 100] * 100] * 10, "[*][*][*][*]")
    assert time.thread_time() - begun < 1
    with pytest.raises(ValueError, match="RE2"):
        pattern(r"(a)\1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
operators = st.sampled_from(
    ["equal", "not-equal", "contains", "not-contains", "greater-than", "less-than", "exists", "not-exists", "regex"]
)


@given(json_values, operators, st.lists(st.text("ab1.[", max_size=3), min_size=1, max_size=3))
def test_no_value_makes_an_operator_raise(value, operator, conditions):
    if operator == "regex":
        conditions = ["a|1"]
    assert holds(operator, conditions, [value]) in (True, False)


@given(json_values, st.lists(st.text("ab1", max_size=3), min_size=1, max_size=3))
def test_negations_are_opposites(value, conditions):
    assert holds("equal", conditions, [value]) is not holds("not-equal", conditions, [value])
    assert holds("contains", conditions, [value]) is not holds("not-contains", conditions, [value])
