"""What pingpong.txt describes is what the services route, and its examples are what they answer."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.pingpong.conftest import AUTHOR, Project
from contract.pingpong.operations import OPERATIONS, routed

DOCUMENT = Path(os.environ.get("SEEDS") or Path(__file__).parents[4] / "shared/spec") / "pingpong.txt"
written = pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
TITLE, SUMMARY = (
    "Database replica connection failure",
    "<b>Summary</b><br>API can not connect to the database replica.",
)
NOTES = {
    "Investigating": "Our devs are looking into the issue.",
    "Identified": "Our devs have found the issue and researching a solution.",
    "Verifying": "A fix has been deployed and our devs are verifying the solution.",
}


def test_operations_are_exactly_the_routes():
    assert routed() == set(map(str, OPERATIONS))


@written
def test_each_operation_is_listed_at_its_line():
    lines = DOCUMENT.read_text().splitlines()
    for each in OPERATIONS:
        assert lines[each.line - 1].startswith(each.text), each


def is_at(value: Any) -> bool:
    return isinstance(value, str) and len(value) == len("2020-02-03T12:15:58Z") and value.endswith("Z")


def checked(it: dict[str, Any], **expected: Any) -> dict[str, Any]:
    """Checks a document: exactly these fields, its id and its time."""
    assert it == {"id": it["id"], "created_at": it["created_at"], **expected}
    assert len(it["id"]) == 22
    assert it["id"].isalnum()
    assert is_at(it["created_at"])
    return it


async def test_component_and_group_of_the_document(project: Project):
    group = checked(
        await project.create("component-groups", name="System", description=None),
        project="ACME", name="System", description=None,
    )  # fmt: skip
    sent = {"name": "API", "group": group["id"], "description": None, "status": "Operational", "showcased": True}
    expected = sent | {"project": "ACME", "group": group, "status_color": "green"}
    it = checked(await project.create("components", **sent), **expected)
    path = f"components/{it['id']}"
    assert await project.get(path) == it
    for method in ("PUT", "PATCH"):
        answer = await project(method, path, json=sent)
        assert (answer.status_code, answer.json()) == (200, it)
    for method in ("PUT", "PATCH", "POST"):
        answer = await project(method, f"{path}/status", json={"status": "Operational"})
        assert (answer.status_code, answer.json()) == (
            200,
            {"id": it["id"], "status": "Operational", "status_color": "green"},
        )
    for method in ("PUT", "PATCH"):
        answer = await project(method, f"component-groups/{group['id']}", json={"name": "System", "description": None})
        assert (answer.status_code, answer.json()) == (200, group)
    assert await project.get(f"component-groups/{group['id']}") == group
    other = await project.create(
        "components", name="DB", description="All databases, including read-only replicas", status="Major issues",
        showcased=False,
    )  # fmt: skip
    assert (other["group"], other["status_color"], other["showcased"]) == (None, "orange", False)
    assert [each for each in await project.get("components") if each["id"] in (it["id"], other["id"])] == [other, it]


async def test_incident_of_the_document_with_its_updates(empty: Project):
    component = await empty.create("components", name="API")
    sent = {
        "title": TITLE, "message": SUMMARY, "occurred_at": "2020-03-18T09:02:24Z", "notify_subscribers": True,
        "affected_components": [{"id": component["id"], "status": "Critical state"}],
    }  # fmt: skip
    affected = component | {"status": "Critical state", "status_color": "red"}
    it = checked(
        await empty.create("incidents", **sent),
        project="ACME", title=TITLE, status="In progress", affected_components=[affected], reported_by=AUTHOR,
        occurred_at="2020-03-18T09:02:24Z", message=f"<div>{SUMMARY}</div>", updates=[],
    )  # fmt: skip
    path = f"incidents/{it['id']}"
    for method in ("PUT", "PATCH"):
        answer = await empty(method, path, json=sent)
        assert (answer.status_code, answer.json()) == (200, it)
    for url in ("incidents", "incidents/ongoing"):
        assert await empty.get(url) == [it]
    updates = []
    for status, message in NOTES.items():
        made = await empty.create(f"{path}/updates", status=status, message=message)
        updates.append(checked(made, reported_by=AUTHOR, status=status, message=f"<div>{message}</div>"))
        assert await empty.get(path) == it | {"status": status, "updates": updates}
        assert await empty.get(f"{path}/updates/{made['id']}") == made
        for method in ("PUT", "PATCH"):
            answer = await empty(method, f"{path}/updates/{made['id']}", json={"status": status, "message": message})
            assert (answer.status_code, answer.json()) == (200, made)
    assert await empty.get(f"{path}/updates") == updates
    answer = await empty("DELETE", f"{path}/updates/{updates[2]['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await empty.get(path) == it | {"status": "Identified", "updates": updates[:2]}
    assert (await empty("DELETE", f"{path}/updates/{updates[2]['id']}")).status_code == 404


async def test_maintenance_of_the_document_is_over_and_one_of_now_is_live(empty: Project):
    component = await empty.create("components", name="API")
    sent = {
        "title": "Database migration planned", "message": "MySQL replica will be moved to a different server.",
        "scheduled_for": "2020-02-10T22:00:00Z", "ends_at": "2020-02-10T23:00:00Z", "notify_subscribers": True,
        "affected_components": [component["id"]],
    }  # fmt: skip
    expected = {
        "project": "ACME", "name": sent["title"], "reported_by": AUTHOR, "message": f"<div>{sent['message']}</div>",
    }  # fmt: skip
    times = {name: sent[name] for name in ("scheduled_for", "ends_at")}
    over = checked(
        await empty.create("maintenance", **sent), **expected, **times, status="Complete",
        affected_components=[component],
    )  # fmt: skip
    for method in ("PUT", "PATCH"):
        answer = await empty(method, f"maintenance/{over['id']}", json=sent)
        assert (answer.status_code, answer.json()) == (200, over)
    assert await empty.get(f"maintenance/{over['id']}") == over
    assert await empty.get("maintenance") == [over]

    now = {"ends_at": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    message = "Upgrading version of <b>main database</b> from version 9.0 to <strikethrough>10.0</strikethrough> 10.2."
    began = sent | now | {"message": message, "scheduled_for": over["created_at"]}
    running = await empty.create("maintenance", **began)
    shown = component | {"status": "Maintenance mode", "status_color": "gray"}
    kept = message.replace("strikethrough", "s")
    assert (running["status"], running["affected_components"]) == ("In progress", [shown])
    assert running["message"] == f"<div>{kept}</div>"
    live = await empty.get("live")
    assert live == {
        "project": "ACME", "url": live["url"], "incidents": [], "maintenance": [running | {"message": kept}],
    }  # fmt: skip
    assert live["url"] == f"{empty.http.base_url}/status/{empty.page['subdomain']}".replace("//status", "/status")
    assert await empty.get("status") == {"status": "Under maintenance", "status_color": "gray"}


async def test_status_of_a_page_without_components(empty: Project):
    assert await empty.get("status") == {"status": "All systems operational", "status_color": "green"}
    live = await empty.get("live")
    assert (live["incidents"], live["maintenance"]) == ([], [])
    for noun in (
        "components",
        "component-groups",
        "incidents",
        "incidents/ongoing",
        "maintenance",
        "metrics",
        "custom-metrics",
    ):
        assert await empty.get(noun) == []
