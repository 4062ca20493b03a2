"""How a page is as a whole: its status, what is live, and the badges of shields.io (contract C.0, F, I)."""

from typing import Any

import pytest

from contract.pingpong.conftest import Project
from contract.pingpong.test_incidents import at, gives
from contract.target import eventually

OPERATIONAL = ("All systems operational", "green", "Operational")
ISSUES = ("Some systems have issues", "orange", "Major issues")
DOWN = ("All systems down", "red", "Critical state")
MAINTENANCE = ("Under maintenance", "gray", "Maintenance mode")


async def widget(project: Project, kind: str) -> dict[str, Any]:
    answer = await project.http.get(f"/widget/shields/{kind}/{project.page['shields_key']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.json()


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], OPERATIONAL),
        (["Operational"], OPERATIONAL),
        (["Operational", "Maintenance mode"], MAINTENANCE),
        (["Maintenance mode"], MAINTENANCE),
        (["Maintenance mode", "Minor issues"], ISSUES),
        (["Operational", "Minor issues"], ISSUES),
        (["Operational", "Unknown"], ISSUES),
        (["Critical state", "Operational"], ISSUES),
        (["Critical state", "Maintenance mode"], ISSUES),
        (["Critical state", "Unavailable"], DOWN),
        (["Unavailable"], DOWN),
    ],
)
async def test_status_of_a_page_and_its_badge(empty: Project, statuses: list[str], expected: tuple[str, str, str]):
    for status in statuses:
        await empty.create("components", status=status)
    await empty.create("components", status="Critical state", showcased=False)
    phrase, color, word = expected
    assert await empty.get("status") == {"status": phrase, "status_color": color}
    assert await widget(empty, "status") == {"status": word}


async def test_badge_of_uptime_is_a_number_that_shields_takes(empty: Project):
    assert await widget(empty, "uptime") == {"uptime": 100.0}
    await empty.create("components", status="Unknown")
    assert await widget(empty, "uptime") == {"uptime": 100.0}
    component = await empty.create("components")
    await gives(empty, component, "Critical state", occurred_at=at(-3600))
    found = await eventually(lambda: widget(empty, "uptime"), lambda it: it["uptime"] < 100)
    assert isinstance(found["uptime"], (int, float))
    assert 0 <= found["uptime"] < 100


async def test_badges_of_pages_that_are_not_there_disabled_or_private(empty: Project):
    key, url = empty.page["shields_key"], f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
    for path in (f"status/{key}x", "status/sp_", "uptime/*", "status/%00", f"nothing/{key}"):
        answer = await empty.http.get(f"/widget/shields/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    private = {"type": "private", "password": "correct horse", "update_password": True}
    assert (await empty.owner("PUT", url, json=private)).status_code == 200
    assert await widget(empty, "status") == {"status": "Operational"}
    assert (await empty.http.post(f"/widget/shields/status/{key}")).status_code == 405
    assert (await empty.owner("PUT", f"{url}/status", json={"enabled": False})).status_code == 200
    for kind in ("status", "uptime"):
        assert (await empty.http.get(f"/widget/shields/{kind}/{key}")).status_code == 404
    assert await empty.get("status") == {"status": "All systems operational", "status_color": "green"}
    assert (await empty.owner("DELETE", url)).status_code == 200
    assert (await empty.http.get(f"/widget/shields/status/{key}")).status_code == 404


async def test_live_view_is_what_the_public_sees(empty: Project):
    seen, secret = (
        await empty.create("components", name="Seen"),
        await empty.create("components", name="SECRET", showcased=False),
    )
    await gives(empty, secret, "Critical state", title="Of SECRET alone")
    both = [{"id": each["id"], "status": "Minor issues"} for each in (seen, secret)]
    shared = await empty.create("incidents", title="Of both", affected_components=both)
    whole = await empty.create("incidents", title="Of the whole page")
    times = {"scheduled_for": at(-60), "ends_at": at(3600)}
    await empty.create("maintenance", title="SECRET work", affected_components=[secret["id"]], **times)
    work = await empty.create("maintenance", title="Work", affected_components=[seen["id"], secret["id"]], **times)
    live = await empty.get("live")
    assert [each["id"] for each in live["incidents"]] == [whole["id"], shared["id"]]
    assert [each["id"] for each in live["maintenance"]] == [work["id"]]
    assert "SECRET" not in str(live)
    assert len(await empty.get("incidents/ongoing")) == 3
    assert [each["name"] for each in await empty.get("components")] == ["Seen", "SECRET"]
