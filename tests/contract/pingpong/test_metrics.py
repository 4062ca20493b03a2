"""Metrics and custom metrics: the document's examples, words, wrong fields, and their monitors (C26 to C34)."""

from typing import Any

import pytest

from contract.pingpong.conftest import Project
from contract.pingpong.test_documented import checked
from contract.target import eventually

ERRORS = {
    "name": "Errors", "description": None, "created_at": "2020-02-03T08:16:39Z", "suffix": "per minute",
    "rollup": "Maximum value", "showcased": True,
}  # fmt: skip
API = {
    "name": "API", "description": None, "created_at": "2020-02-19T16:13:58Z", "frequency": "5 minutes",
    "location": "US West", "showcased": "Showcase uptime",
}  # fmt: skip
ROLLUPS = ("Mean value", "Mean value (rounded)", "Sum of all values", "Minimum value", "Maximum value")
FREQUENCIES = ("minute", "2 minutes", "5 minutes", "10 minutes", "15 minutes", "30 minutes", "60 minutes")
LOCATIONS = ("US West", "US East", "Brazil", "United Kingdom", "Italy", "Sweden", "South Africa", "Singapore",
             "Australia", "Japan")  # fmt: skip
SHOWCASED = ("Don't showcase", "Showcase uptime and response time", "Showcase uptime", "Showcase response time")


@pytest.mark.parametrize(("noun", "example"), [("custom-metrics", ERRORS), ("metrics", API)])
async def test_metric_of_the_document(project: Project, noun: str, example: dict[str, Any]):
    component = await project.create("components", name="API")
    sent = example | {"component": component["id"]}
    expected = example | {"project": "ACME", "component": component} | ({"url": None} if noun == "metrics" else {})
    it = checked(await project.create(noun, **sent), **{k: v for k, v in expected.items() if k != "created_at"})
    assert it["created_at"] == example["created_at"]
    path = f"{noun}/{it['id']}"
    assert await project.get(path) == it
    assert it in await project.get(noun)
    for method in ("PUT", "PATCH"):
        answer = await project(method, path, json=sent)
        assert (answer.status_code, answer.json()) == (200, it)
    assert await project.change(path, component=None) == it | {"component": None}
    assert await project.get(path) == it | {"component": None}


async def test_words_in_any_case_and_canonical_in_answers(project: Project):
    it = await project.create("custom-metrics", name="x")
    assert (it["suffix"], it["rollup"], it["showcased"], it["component"]) == ("", "Mean value", True, None)
    path = f"custom-metrics/{it['id']}"
    for word in ROLLUPS:
        assert (await project.change(path, rollup=word.upper()))["rollup"] == word
    for short, word in {"max": "Maximum value", "Min": "Minimum value", "SUM": "Sum of all values"}.items():
        assert (await project.change(path, rollup=short))["rollup"] == word
    it = await project.create("metrics", name="x")
    assert (it["url"], it["frequency"], it["location"]) == (None, "5 minutes", "US West")
    assert it["showcased"] == "Don't showcase"
    path = f"metrics/{it['id']}"
    for field, words in (("frequency", FREQUENCIES), ("location", LOCATIONS), ("showcased", SHOWCASED)):
        for word in words:
            assert (await project.change(path, **{field: word.swapcase()}))[field] == word


WHEN = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
COMMON: list[tuple[str, Any, str]] = [
    ("name", None, "This field may not be null."),
    ("name", " ", "This field may not be blank."),
    ("name", "x" * 51, "Ensure this field has no more than 50 characters."),
    ("name", [], "Not a valid string."),
    ("name", True, "Not a valid string."),
    ("description", "x" * 256, "Ensure this field has no more than 255 characters."),
    ("created_at", "yesterday", WHEN),
    ("created_at", None, "This field may not be null."),
    ("component", "nobodys", 'Invalid pk "nobodys" - object does not exist.'),
    ("component", 5, "Incorrect type. Expected pk value, received int."),
    ("showcased", None, "This field may not be null."),
]  # fmt: skip
WRONG: dict[str, list[tuple[str, Any, str]]] = {
    "custom-metrics": [
        *COMMON,
        ("suffix", "x" * 51, "Ensure this field has no more than 50 characters."),
        ("suffix", None, "This field may not be null."),
        ("rollup", "Median", '"Median" is not a valid choice.'),
        ("rollup", 5, '"5" is not a valid choice.'),
        ("showcased", "maybe", "Must be a valid boolean."),
    ],
    "metrics": [
        *COMMON,
        ("frequency", "3 minutes", '"3 minutes" is not a valid choice.'),
        ("location", "Mars", '"Mars" is not a valid choice.'),
        ("showcased", True, '"True" is not a valid choice.'),
        ("url", "no url", "Enter a valid URL."),
        ("url", "ftp://example.com/", "Enter a valid URL."),
        ("url", "https://user:password@example.com/", "Enter a valid URL."),
        ("url", "http://", "Enter a valid URL."),
    ],
}


@pytest.mark.parametrize(
    ("noun", "field", "value", "said"), [(noun, *each) for noun, rows in WRONG.items() for each in rows]
)
async def test_wrong_fields_are_400_and_change_nothing(project: Project, noun: str, field: str, value: Any, said: str):
    it = await project.create(noun)
    for method, path in (("POST", noun), ("PUT", f"{noun}/{it['id']}")):
        answer = await project(method, path, json={"name": "x", field: value})
        assert (answer.status_code, answer.json()) == (400, {field: [said]})
    assert await project.get(f"{noun}/{it['id']}") == it


async def test_a_metric_needs_a_name_and_an_address_that_may_be_pinged(project: Project):
    for noun in ("metrics", "custom-metrics"):
        answer = await project("POST", noun, json={})
        assert (answer.status_code, answer.json()) == (400, {"name": ["This field is required."]})
    for url in ("http://169.254.169.254/", "http://[::ffff:a9fe:a9fe]/", "http://2852039166/"):
        answer = await project("POST", "metrics", json={"name": "x", "url": url})
        assert answer.status_code == 400, url
        assert list(answer.json()) == ["url"]


async def test_what_is_dropped_from_the_page_leaves_its_metrics(empty: Project):
    component = await empty.create("components", name="API")
    made = {noun: await empty.create(noun, component=component["id"]) for noun in ("metrics", "custom-metrics")}
    url = f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
    assert (await empty.owner("PUT", url, json={"components": []})).status_code == 200
    for noun, it in made.items():
        assert await empty.get(f"{noun}/{it['id']}") == it | {"component": None}


async def test_a_metric_with_a_url_is_a_monitor_that_only_the_metric_changes(empty: Project):
    it = await empty.create("metrics", url="http://127.0.0.1:1/health", frequency="10 minutes")
    monitors = await eventually(lambda: _monitors(empty), bool)
    [monitor] = monitors
    assert (monitor["name"], monitor["url"], monitor["interval"]) == ("API", "http://127.0.0.1:1/health", 600)
    assert (monitor["channels"], monitor["managed_by"], monitor["regions"]) == ([], "statuspage", ["eu-central-1"])
    url = f"resource-cmd/v1/resource/{monitor['id']}"
    for method, path, body in (
        ("PUT", url, {"name": "mine"}),
        ("PUT", f"{url}/status", {"enabled": False}),
        ("DELETE", url, None),
        ("DELETE", f"resource-cmd/v1/resource?id={monitor['id']}", None),
    ):
        answer = await empty.owner(method, path, json=body)
        assert answer.status_code == 409, answer.text
        assert "API" in answer.json()["message"]
    await empty.change(f"metrics/{it['id']}", name="Renamed", frequency="minute")
    seen = await eventually(lambda: _monitors(empty), lambda found: found[0]["name"] == "Renamed")
    assert seen[0]["interval"] == 60
    assert (await empty.change(f"metrics/{it['id']}", url=None))["url"] is None
    await eventually(lambda: _monitors(empty), lambda found: not found)
    await empty.change(f"metrics/{it['id']}", url="http://127.0.0.1:1/again")
    await eventually(lambda: _monitors(empty), bool)
    page = f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
    assert (await empty.owner("DELETE", page)).status_code == 200
    await eventually(lambda: _monitors(empty), lambda found: not found)
    services = (await empty.owner.get("resource-query/v1/services"))["data"]
    await eventually(lambda: _services(empty), lambda found: "Status page ACME" not in found)
    assert services


async def _services(project: Project) -> list[str]:
    return [each["name"] for each in (await project.owner.get("resource-query/v1/services"))["data"]]


async def _monitors(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in (await project.owner.get("resource-query/v1/services"))["data"]:
        if each["name"] == "Status page ACME":
            rows = (await project.owner.get(f"resource-query/v1/service/{each['id']}/resources"))["data"]
            answers = [await project.owner("GET", f"resource-query/v1/resource/{row['id']}") for row in rows]
            found += [each.json() for each in answers if each.status_code == 200]  # others have gone meanwhile
    return found
