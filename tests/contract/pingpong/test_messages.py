"""What is refused, in the exact words of Django REST Framework (contract C.1); nothing of it is stored."""

import json
from typing import Any

import pytest

from contract.client import CANARY
from contract.pinghome.test_bad_input import NOT_JSON
from contract.pingpong.conftest import BODIES, Project
from contract.pingpong.operations import OPERATIONS, Operation, body, filled

REQUIRED, NULL, BLANK = "This field is required.", "This field may not be null.", "This field may not be blank."
STRING, BOOLEAN, LIST = "Not a valid string.", "Must be a valid boolean.", 'Expected a list of items but got type "{}".'
TIME = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
NOBODYS = "4Prx46Kk7Rqnq3hv8RZbmN"
UNKNOWN = f'Invalid pk "{NOBODYS}" - object does not exist.'


def longest(most: int) -> str:
    return f"Ensure this field has no more than {most} characters."


def choice(value: Any) -> str:
    return f'"{value}" is not a valid choice.'


def texts(most: int, *, null: bool = False, blank: bool = False) -> list[tuple[Any, str]]:
    found = [("x" * (most + 1), longest(most)), ("a\0b", "Null characters are not allowed.")]
    found += [(value, STRING) for value in (True, [], {})]
    return found + ([] if null else [(None, NULL)]) + ([] if blank else [("", BLANK), (" \n ", BLANK)])


BOOLEANS = [(value, BOOLEAN) for value in ("maybe", "", 2, 1.5, [], {})] + [(None, NULL)]
TIMES = [(value, TIME) for value in ("yesterday", "", "2020-13-01T00:00:00Z", 5, True, [], {}, "2020-02-10T25:00")]
TIMES += [("1999-12-31T23:59:59Z", "Datetime value out of range."), ("9999-01-01", "Datetime value out of range.")]
KEYS = [(NOBODYS, UNKNOWN), ("x", 'Invalid pk "x" - object does not exist.'),
        (5, "Incorrect type. Expected pk value, received int.")]  # fmt: skip
STATUSES = [(value, choice(value)) for value in ("Broken", "", "operational ", 5, True, "degraded")]

FIELDS: dict[str, dict[str, list[tuple[Any, str]]]] = {
    "components": {
        "name": texts(50),
        "group": KEYS,
        "description": texts(255, null=True, blank=True),
        "status": STATUSES,
        "showcased": BOOLEANS,
    },
    "component-groups": {"name": texts(50), "description": texts(255, null=True, blank=True)},
    "incidents": {
        "title": texts(100),
        "message": texts(100_000, blank=True),
        "occurred_at": TIMES,
        "notify_subscribers": BOOLEANS,
        "affected_components": [("x", LIST.format("str")), ({}, LIST.format("dict")), (None, NULL)],
    },
    "maintenance": {
        "title": texts(100),
        "scheduled_for": [*TIMES, (None, NULL)],
        "ends_at": [*TIMES, (None, NULL)],
        "notify_subscribers": BOOLEANS,
        "affected_components": [("x", LIST.format("str")), (None, NULL), *(([value], error) for value, error in KEYS)],
    },
    "updates": {"status": [(each, choice(each)) for each in ("In progress", "", 5)], "message": [(None, NULL)]},
}
CASES = [(noun, name, value, error) for noun, fields in FIELDS.items() for name, cases in fields.items()
         for value, error in cases]  # fmt: skip


async def place(project: Project, noun: str) -> tuple[str, str]:
    """Where such a thing is made, and one that there is."""
    prefix = f"incidents/{(await project.create('incidents'))['id']}/" if noun == "updates" else ""
    return prefix + noun, f"{prefix}{noun}/{(await project.create(prefix + noun))['id']}"


@pytest.fixture(scope="session")
async def places(project: Project) -> dict[str, tuple[str, str]]:
    return {noun: await place(project, noun) for noun in FIELDS}


@pytest.mark.parametrize(("noun", "name", "value", "error"), CASES, ids=lambda it: repr(it)[:30])
async def test_wrong_value_is_400_with_the_field_and_changes_nothing(
    project: Project, places: dict[str, tuple[str, str]], noun: str, name: str, value: Any, error: str
):
    new, old = places[noun]
    before = await project.get(old)
    count = len(await project.get(new))
    for method, path in (("POST", new), ("PUT", old), ("PATCH", old)):
        answer = await project(method, path, json=BODIES[noun] | {name: value})
        assert (answer.status_code, answer.json()) == (400, {name: [error]})
    assert (await project.get(old), len(await project.get(new))) == (before, count)


@pytest.mark.parametrize("noun", FIELDS)
async def test_required_fields_are_named_all_at_once_and_only_where_something_is_made(
    project: Project, places: dict[str, tuple[str, str]], noun: str
):
    new, old = places[noun]
    before = await project.get(old)
    for sent in ({"content": ""}, {"json": {}}, {"json": {"unknown": 1}}):
        answer = await project("POST", new, **sent)
        assert (answer.status_code, answer.json()) == (400, {name: [REQUIRED] for name in BODIES[noun]})
        for method in ("PUT", "PATCH"):
            answer = await project(method, old, **sent)
            assert (answer.status_code, answer.json()) == (200, before)


async def test_several_wrong_fields_are_named_together(project: Project):
    answer = await project("POST", "components", json={"status": "x", "showcased": 5})
    assert answer.json() == {"name": [REQUIRED], "status": [choice("x")], "showcased": [BOOLEAN]}


async def test_affected_components_are_refused_item_by_item(project: Project):
    component = (await project.create("components"))["id"]
    good = {"id": component, "status": "Minor issues"}
    for items, errors in (
        ([good, {}], [{}, {"id": [REQUIRED], "status": [REQUIRED]}]),
        ([{"id": NOBODYS, "status": "x"}], [{"id": [UNKNOWN], "status": [choice("x")]}]),
        ([good, "x"], [{}, {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}]),
        ([good | {"status": None}], [{"status": [NULL]}]),
        ([good, good], ["Must be a component of this page, and only once."]),
    ):
        answer = await project("POST", "incidents", json={"title": "x", "affected_components": items})
        assert (answer.status_code, answer.json()) == (400, {"affected_components": errors})
    for items in ([component, component], [{"id": component}, component]):
        answer = await project("POST", "maintenance", json=BODIES["maintenance"] | {"affected_components": items})
        assert answer.json() == {"affected_components": ["Must be a component of this page, and only once."]}


async def test_components_of_other_pages_are_unknown(project: Project, neighbour: Project):
    theirs, group = await neighbour.create("components"), await neighbour.create("component-groups")
    unknown = f'Invalid pk "{theirs["id"]}" - object does not exist.'
    answer = await project("POST", "components", json={"name": "x", "group": group["id"]})
    assert answer.json() == {"group": [f'Invalid pk "{group["id"]}" - object does not exist.']}
    affected = [{"id": theirs["id"], "status": "Unknown"}]
    answer = await project("POST", "incidents", json={"title": "x", "affected_components": affected})
    assert answer.json() == {"affected_components": [{"id": [unknown]}]}
    answer = await project("POST", "maintenance", json=BODIES["maintenance"] | {"affected_components": [theirs["id"]]})
    assert answer.json() == {"affected_components": [unknown]}


async def test_times_that_do_not_fit_are_refused(project: Project):
    answer = await project("POST", "incidents", json={"title": "x", "occurred_at": "2100-01-01T00:00:00Z"})
    assert answer.json() == {"occurred_at": ["Must not be after the time at which the incident is reported."]}
    times = {"scheduled_for": "2100-01-01T01:00:00Z", "ends_at": "2100-01-01T01:00:00Z"}
    answer = await project("POST", "maintenance", json=BODIES["maintenance"] | times)
    assert (answer.status_code, answer.json()) == (400, {"ends_at": ["Must be after scheduled_for."]})


async def test_message_that_is_too_long_when_it_is_clean_is_refused(project: Project):
    answer = await project("POST", "incidents", json={"title": "x", "message": "x" * 20_001})
    assert (answer.status_code, answer.json()) == (400, {"message": ["Must have at most 20000 characters."]})


TAKING = [each for each in OPERATIONS if each.method in ("POST", "PUT", "PATCH")]


@pytest.mark.parametrize("operation", TAKING, ids=str)
async def test_body_that_is_no_json_object_is_400(project: Project, operation: Operation):
    path = await filled(operation, project)
    for content in NOT_JSON.values():
        answer = await project(operation.method, path, content=content)
        assert answer.status_code == 400
        assert set(answer.json()) == {"detail"}
        assert answer.json()["detail"].startswith("JSON parse error - ")
    for content, kind in ((b"[]", "list"), (b'"x"', "str"), (b"5", "int"), (b"true", "bool"), (b"null", "NoneType")):
        answer = await project(operation.method, path, content=content)
        error = {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]}
        assert (answer.status_code, answer.json()) == (400, error)


@pytest.mark.parametrize("operation", TAKING, ids=str)
async def test_body_of_any_content_type_is_json(project: Project, operation: Operation):
    path = await filled(operation, project)
    content = json.dumps(body(operation)["json"])
    for kind in ("application/x-www-form-urlencoded", "text/plain", "x", ""):
        headers = {"Content-Type": kind} if kind else {}
        answer = await project(operation.method, path, content=content, headers=headers)
        assert answer.status_code in (200, 201), answer.text


async def test_words_are_taken_in_any_case_and_booleans_as_words(empty: Project):
    it = await empty.create("components", name=5, status="mAJOR iSSUES", showcased="off")
    assert (it["name"], it["status"], it["showcased"]) == ("5", "Major issues", False)
    incident = await empty.create("incidents", title=f" {CANARY} ", notify_subscribers="yes")
    assert incident["title"] == CANARY
    update = await empty.create(f"incidents/{incident['id']}/updates", status="VERIFYING")
    assert (update["status"], update["message"]) == ("Verifying", "<div></div>")
