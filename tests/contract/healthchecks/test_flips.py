"""Flips: when a check went up and down (contract B.6)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contract.healthchecks.conftest import Project
from contract.target import eventually


@pytest.fixture(scope="module")
async def flipped(project: Project) -> dict[str, Any]:
    """A check that went up, down, up; was paused; and went up by a ping."""
    it = await project.create(name="flipped")
    await project.ping(it, "complete", "complete", "run", "fail", "fail", "complete")
    await project("POST", f"checks/{it['uuid']}/pause")
    await project.ping(it, "complete")
    return it


async def flips(project: Project, it: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    return await project.get(f"checks/{it['uuid']}/flips/", **query)


async def test_flips_are_the_changes_between_up_and_down_newest_first(project: Project, flipped: dict[str, Any]):
    seen = await eventually(lambda: flips(project, flipped), lambda seen: len(seen) == 4)
    assert [each["up"] for each in seen] == [1, 1, 0, 1]
    assert all(set(each) == {"timestamp", "up"} for each in seen)
    times = [datetime.fromisoformat(each["timestamp"]) for each in seen]
    assert times == sorted(times, reverse=True)
    assert all(each["timestamp"].endswith("+00:00") and "." not in each["timestamp"] for each in seen)
    for version in (2, 3):
        url = f"/api/v{version}/checks/{flipped['uuid']}/flips/"
        answer = await project.http.get(url, headers={"X-Api-Key": project.reading})
        assert answer.json() == {"flips": seen}


async def test_every_change_is_told_however_fast_they_follow(project: Project, name: str):
    it = await project.create(name=name)
    await project.ping(it, *["complete", "fail"] * 10)
    seen = await eventually(lambda: flips(project, it), lambda seen: len(seen) >= 20)
    assert [each["up"] for each in seen] == [0, 1] * 10


async def test_query_tells_from_when_and_until_when(project: Project, flipped: dict[str, Any]):
    now = int(datetime.now(UTC).timestamp())
    seen = await eventually(lambda: flips(project, flipped), lambda seen: len(seen) == 4)
    for query in ({"seconds": 3600}, {"seconds": ""}, {"seconds": 0}, {"start": now - 3600}, {"end": now + 3600},
                  {"start": 0, "end": 10_000_000_000}, {"nothing": "x"}, {"seconds": 31_536_000}):  # fmt: skip
        assert await flips(project, flipped, **query) == seen, query
    for query in ({"start": now + 3600}, {"end": now - 3600}, {"end": 0}, {"start": now + 60, "seconds": 3600}):
        assert await flips(project, flipped, **query) == [], query


@pytest.mark.parametrize("value", ["abc", "1.5", "-1", "10000000001", "+1", "1e3", "٣", " 1", "9" * 5000, "null"])
async def test_bad_query_is_400_without_a_word(
    project: Project, neighbour: Project, flipped: dict[str, Any], value: str
):
    for name in ("seconds", "start", "end"):
        path = f"checks/{flipped['uuid']}/flips/"
        answer = await project("GET", path, params={name: value})
        assert (answer.status_code, answer.content) == (400, b""), name
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (await neighbour("GET", path, params={name: value})).status_code == 403
    assert (await project("GET", path, params={"start": ""})).status_code == 400
    assert (await project("GET", path, params={"end": ""})).status_code == 400
    assert (await project("GET", path, params={"seconds": 31_536_001})).status_code == 400


async def test_new_check_has_no_flips_and_a_deleted_one_is_gone(project: Project, name: str):
    it = await project.create(name=name)
    assert await flips(project, it) == []
    await project("DELETE", f"checks/{it['uuid']}")
    assert (await project("GET", f"checks/{it['uuid']}/flips/")).status_code == 404
