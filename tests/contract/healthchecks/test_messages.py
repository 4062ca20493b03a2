"""Every message of contract B.3, and that they come in their order."""

from itertools import pairwise
from typing import Any

import pytest

from contract.healthchecks.conftest import Project

WRONG: list[tuple[str, Any, str]] = [
    ("name", 123, "name is not a string"),
    ("name", None, "name is not a string"),
    ("name", "x" * 101, "name is too long"),
    ("name", "a\0b", "name contains the character NUL"),
    ("desc", 1, "desc is not a string"),
    ("desc", "x" * 100_001, "desc is too long"),
    ("desc", "a\0b", "desc contains the character NUL"),
    ("tags", 123, "tags is not a string"),
    ("tags", ["a"], "tags is not a string"),
    ("tags", "x" * 501, "tags is too long"),
    ("timeout", "60", "timeout is not a number"),
    ("timeout", 60.0, "timeout is not a number"),
    ("timeout", None, "timeout is not a number"),
    ("timeout", 59, "timeout is too small"),
    ("timeout", True, "timeout is too small"),
    ("timeout", -1, "timeout is too small"),
    ("timeout", 31_536_001, "timeout is too large"),
    ("timeout", 10**30, "timeout is too large"),
    ("grace", [], "grace is not a number"),
    ("grace", 0, "grace is too small"),
    ("grace", 31_536_001, "grace is too large"),
    ("schedule", 5, "schedule is not a string"),
    ("schedule", "* " * 51, "schedule is too long"),
    ("schedule", "bad", "schedule is not a valid cron or OnCalendar expression"),
    ("schedule", "* * * *", "schedule is not a valid cron or OnCalendar expression"),
    ("schedule", "0 0 31 2 *", "schedule is not a valid cron or OnCalendar expression"),
    ("schedule", "@daily", "schedule is not a valid cron or OnCalendar expression"),
    ("schedule", "", "schedule is not a valid cron or OnCalendar expression"),
    ("tz", 1, "tz is not a string"),
    ("tz", "not-a-timezone", "tz is not a valid timezone"),
    ("tz", "europe/riga", "tz is not a valid timezone"),
    ("tz", "../../etc/passwd", "tz is not a valid timezone"),
    ("channels", None, "channels is not a string"),
    ("channels", ["a"], "channels is not a string"),
    ("channels", "x" * 100_001, "channels is too long"),
    ("manual_resume", 0, "manual_resume is not a boolean"),
    ("manual_resume", "yes", "manual_resume is not a boolean"),
    ("methods", "GET", "methods has unexpected value"),
    ("methods", None, "methods has unexpected value"),
    ("methods", {}, "methods has unexpected value"),
    ("subject", False, "subject is not a string"),
    ("subject", "x" * 201, "subject is too long"),
    ("subject_fail", 1, "subject_fail is not a string"),
    ("subject_fail", "x" * 201, "subject_fail is too long"),
    ("unique", "name", "unique is not an array"),
    ("unique", ["status"], "an item in 'unique' has unexpected value"),
    ("unique", [["name"]], "an item in 'unique' has unexpected value"),
]


async def refused(project: Project, path: str, **sent: Any) -> str:
    answer = await project("POST", path, **sent)
    assert answer.status_code == 400, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert list(answer.json()) == ["error"]
    return answer.json()["error"]


@pytest.fixture(scope="module")
async def check(project: Project) -> dict[str, Any]:
    return await project.create(name="untouched")


@pytest.mark.parametrize(("field", "value", "message"), WRONG, ids=[f"{f}={str(v)[:20]!r}" for f, v, _ in WRONG])
async def test_wrong_field_is_refused_in_its_words(
    project: Project, check: dict[str, Any], field: str, value: Any, message: str
):
    for path in ("checks/", f"checks/{check['uuid']}"):
        assert await refused(project, path, json={field: value}) == f"json validation error: {message}"
    assert await project.get(f"checks/{check['uuid']}") == check


async def test_first_wrong_field_in_the_documented_order_is_told(project: Project):
    first = {field: (value, message) for field, value, message in reversed(WRONG)}
    order = list(dict.fromkeys(field for field, _, _ in WRONG))
    for one, two in pairwise(order):
        sent = {two: first[two][0], one: first[one][0]}
        assert await refused(project, "checks/", json=sent) == f"json validation error: {first[one][1]}"


@pytest.mark.parametrize("body", ["123", "[]", '"x"', "null", "true"])
async def test_body_that_is_no_object_is_refused(project: Project, check: dict[str, Any], body: str):
    for path in ("checks/", f"checks/{check['uuid']}", f"checks/{check['uuid']}/pause"):
        assert await refused(project, path, content=body) == "json validation error: value is not an object"


@pytest.mark.parametrize("body", ["{", "name=x", "{'a': 1}", '{"name": "\\ud800"}', "\x00", "[" * 10_000])
async def test_body_that_is_no_json_is_refused_before_the_key_is_looked_at(project: Project, body: str):
    for key in (None, "", "wrong"):
        assert await refused(project, "checks/", key=key, content=body) == "could not parse request body"


async def test_slug_of_version_3_has_a_pattern(project: Project):
    for slug, message in (
        ("Big", "slug does not match pattern"),
        ("x" * 101, "slug is too long"),
        (1, "slug is not a string"),
    ):
        answer = await project.http.post("/api/v3/checks/", json={"slug": slug}, headers={"X-Api-Key": project.key})
        assert (answer.status_code, answer.json()) == (400, {"error": f"json validation error: {message}"})
    assert (await project.create(slug="Big", name="Not big"))["slug"] == "not-big"  # version 1 does not know the word


@pytest.mark.parametrize("type_", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
async def test_body_is_json_whatever_its_content_type_says(project: Project, name: str, type_: str):
    answer = await project("POST", "checks/", content=f'{{"name": "{name}"}}', headers={"Content-Type": type_})
    assert (answer.status_code, answer.json()["name"]) == (201, name)


async def test_text_that_no_state_can_hold_is_refused_and_not_a_500(project: Project):
    assert (await project.create(desc="\N{GRINNING FACE}" * 40_000))["desc"] == "\N{GRINNING FACE}" * 40_000
    answer = await project("POST", "checks/", json={"desc": "\x01" * 100_000})  # six bytes each in JSON
    assert answer.status_code == 400
    assert "too large" in answer.json()["error"]


async def test_unknown_fields_are_ignored_and_an_empty_body_is_an_empty_object(project: Project, check: dict[str, Any]):
    for more in ({"json": {"nothing": 1, "n_pings": 5, "service_id": "x"}}, {"content": ""}, {}):
        answer = await project("POST", f"checks/{check['uuid']}", **more)
        assert (answer.status_code, answer.json()) == (200, check)
