"""Points of custom metrics: cast to minutes, replaced, left out when old, refused when wrong (contract C30, I)."""

import time
from typing import Any

import pytest

from contract.pingpong.conftest import Project
from contract.raw import ask, request
from contract.target import eventually
from pinghome_common.dialects.pingpong import identified

NOBODYS = "4Prx46Kk7Rqnq3hv8RZbmN"
PATH = "custom-metrics/data"


def at(seconds: float = 0) -> int:
    return int(time.time() + seconds)


def floored(timestamp: int) -> int:
    return timestamp // 60 * 60


async def send(project: Project, data: Any) -> Any:
    answer = await project("POST", PATH, json={"data": data})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stored(project: Project, metric: str) -> dict[int, float]:
    """The values that are kept, by their time."""
    async with project.platform.sql("statuspage_query") as db:
        rows = await db.fetch(
            "SELECT extract(epoch FROM day)::bigint AS day, minutes FROM point_day WHERE metric = $1",
            identified(metric),
        )
    return {
        row["day"] + 60 * place: value
        for row in rows
        for place, value in enumerate(row["minutes"])
        if value is not None
    }


async def keeps(project: Project, metric: str, wanted: dict[int, float]) -> None:
    await eventually(lambda: stored(project, metric), lambda seen: seen == wanted)


async def test_points_of_the_document_are_cast_to_minutes(project: Project):
    it = (await project.create("custom-metrics"))["id"]
    first = floored(at(-3600))
    sent = [{"timestamp": first + 35, "value": 11.6}, {"timestamp": first + 75, "value": 12.1}]
    assert await send(project, {it: sent}) == {
        it: [{"timestamp": first, "value": 11.6}, {"timestamp": first + 60, "value": 12.1}]
    }
    await keeps(project, it, {first: 11.6, first + 60: 12.1})


async def test_the_last_value_of_a_minute_counts_within_and_across_requests(project: Project):
    one, two = [(await project.create("custom-metrics"))["id"] for _ in range(2)]
    first = floored(at(-3600))
    sent = [(first + 60, 1), (first, 2), (first + 61, 3), (first + 119, 4.5)]
    data = {one: [{"timestamp": when, "value": value} for when, value in sent], two: []}
    assert await send(project, data) == {
        one: [{"timestamp": first + 60, "value": 4.5}, {"timestamp": first, "value": 2}], two: [],
    }  # fmt: skip
    assert await send(project, {one: [{"timestamp": first, "value": -7}]}) == {one: [{"timestamp": first, "value": -7}]}
    await keeps(project, one, {first: -7, first + 60: 4.5})
    assert await stored(project, two) == {}


async def test_what_is_older_than_30_days_is_left_out_and_the_future_refused(project: Project):
    it = (await project.create("custom-metrics"))["id"]
    old, young, ahead = at(-30 * 86400 - 90), floored(at(-30 * 86400 + 600)), floored(at(240))
    points = [{"timestamp": when, "value": 1} for when in (old, young, ahead, 0, -1, -(2**40))]
    kept = [{"timestamp": when, "value": 1} for when in (young, ahead)]
    assert await send(project, {it: points}) == {it: kept}
    await keeps(project, it, {young: 1, ahead: 1})
    for far in (at(600), 2**31, 2**63, 10**30):
        answer = await project("POST", PATH, json={"data": {it: [*points, {"timestamp": far, "value": 5}]}})
        said = "Ensure this value is at most 5 minutes in the future."
        assert (answer.status_code, answer.json()) == (400, {"data": {it: {"6": {"timestamp": [said]}}}})
    assert await stored(project, it) == {young: 1, ahead: 1}


@pytest.mark.parametrize(
    ("point", "errors"),
    [
        ({"timestamp": 1, "value": True}, {"value": ["A valid number is required."]}),
        ({"timestamp": 1, "value": "11.6"}, {"value": ["A valid number is required."]}),
        ({"timestamp": 1, "value": [1]}, {"value": ["A valid number is required."]}),
        ({"timestamp": 1, "value": 10**400}, {"value": ["A valid number is required."]}),
        ({"timestamp": 1, "value": 1e301}, {"value": ["A valid number is required."]}),
        ({"timestamp": 1, "value": None}, {"value": ["This field may not be null."]}),
        ({"timestamp": 1}, {"value": ["This field is required."]}),
        ({"value": 1}, {"timestamp": ["This field is required."]}),
        ({"timestamp": None, "value": 1}, {"timestamp": ["This field may not be null."]}),
        ({"timestamp": False, "value": 1}, {"timestamp": ["A valid integer is required."]}),
        ({"timestamp": "1615387895", "value": 1}, {"timestamp": ["A valid integer is required."]}),
        ({"timestamp": 1615387895.5, "value": 1}, {"timestamp": ["A valid integer is required."]}),
        (5, {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}),
        (None, {"non_field_errors": ["Invalid data. Expected a dictionary, but got NoneType."]}),
    ],
)
async def test_a_wrong_point_refuses_all(project: Project, point: Any, errors: dict[str, list[str]]):
    it = (await project.create("custom-metrics"))["id"]
    good = {"timestamp": at(-60), "value": 1}
    answer = await project("POST", PATH, json={"data": {it: [good, point]}})
    assert (answer.status_code, answer.json()) == (400, {"data": {it: {"1": errors}}})
    assert await stored(project, it) == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, {"data": ["This field is required."]}),
        ({"data": None}, {"data": ['Expected a dictionary of items but got type "NoneType".']}),
        ({"data": []}, {"data": ['Expected a dictionary of items but got type "list".']}),
        ({"data": {"x": 5}}, {"data": {"x": ['Expected a list of items but got type "int".']}}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
async def test_a_wrong_body_is_400(project: Project, body: Any, said: Any):
    answer = await project("POST", PATH, json=body)
    assert (answer.status_code, answer.json()) == (400, said)


@pytest.mark.parametrize(
    "body", [b"{", b'{"data": {"x": [{"timestamp": 1, "value": NaN}]}}', b"\xff", b"[" * 100_000, b'{"data": Infinity}']
)
async def test_what_is_no_json_is_400(project: Project, body: bytes):
    answer = await project("POST", PATH, content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")


async def test_metrics_of_others_are_404_and_nothing_is_stored(project: Project, neighbour: Project, other: Project):
    own = (await project.create("custom-metrics"))["id"]
    point = [{"timestamp": at(-60), "value": 1}]
    wrong = [NOBODYS, "x", "", (await project.create("metrics"))["id"]]
    wrong += [(await each.create("custom-metrics"))["id"] for each in (neighbour, other)]
    for id_ in wrong:
        answer = await project("POST", PATH, json={"data": {own: point, id_: point}})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert await stored(project, own) == {}


async def test_ten_thousand_points_and_no_more(project: Project):
    ids = [(await project.create("custom-metrics"))["id"] for _ in range(4)]
    first = floored(at(-3600 * 48))
    data = {id_: [{"timestamp": first + 60 * place, "value": place} for place in range(2500)] for id_ in ids}
    assert await send(project, data) == data
    for id_ in ids:
        await keeps(project, id_, {first + 60 * place: place for place in range(2500)})
    data[ids[0]].append({"timestamp": first, "value": 5})
    answer = await project("POST", PATH, json={"data": data})
    assert (answer.status_code, answer.json()) == (400, {"data": ["Ensure there are no more than 10000 data points."]})
    huge = b'{"data": {"x": [' + b'{"timestamp":1,"value":1},' * 1_000_000 + b"5]}}"
    headers = {"Authorization": f"Token {project.token}", "Content-Length": str(len(huge))}
    answered = await ask(project.platform.port, request("POST", f"/rest/v1/{PATH}", headers), huge)
    assert answered.status == 413


async def test_points_of_a_metric_go_with_its_page(empty: Project):
    it = (await empty.create("custom-metrics"))["id"]
    when = floored(at(-60))
    await send(empty, {it: [{"timestamp": when, "value": 1}]})
    await keeps(empty, it, {when: 1})
    url = f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
    assert (await empty.owner("DELETE", url)).status_code == 200
    await keeps(empty, it, {})
