"""What healthchecks-v1-2022.txt names is what the services route, and the examples are what they answer."""

import os
from pathlib import Path
from typing import Any

import pytest

from contract.healthchecks.conftest import Project
from contract.healthchecks.operations import BEYOND, DOCUMENTED, OPERATIONS, PINGS, routed

DOCUMENT = Path(os.environ.get("SEEDS") or Path(__file__).parents[4] / "shared/spec") / "healthchecks-v1-2022.txt"
written = pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")


def test_documented_operations_and_those_of_the_real_server_are_exactly_the_routes():
    assert routed() - set(map(str, PINGS)) == set(map(str, OPERATIONS))


@written
def test_each_operation_of_the_document_is_listed_at_its_line():
    lines = DOCUMENT.read_text().splitlines()
    for each in [*DOCUMENTED, PINGS[0]]:
        path = each.path.replace("{id}", "<uuid>")
        assert lines[each.line - 1].endswith(f"{each.method} https://ping.terra-home.de/api/v1/{path}"), each
    assert sum("https://ping.terra-home.de/api/v1/" in line for line in lines[7:19]) == 12
    assert len(BEYOND) == 2


KEYS = {
    "name", "slug", "tags", "desc", "grace", "n_pings", "status", "last_ping", "next_ping", "manual_resume", "methods",
    "subject", "subject_fail", "timeout",
}  # fmt: skip
SECRET = {"ping_url", "update_url", "pause_url", "channels"}
OURS = {"started"}


def example(it: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The answer in "Create a Check", line 478, with this check's id."""
    start = it["update_url"].partition("/api/")[0]
    return {
        "channels": "",
        "desc": "",
        "grace": 60,
        "last_ping": None,
        "n_pings": 0,
        "name": "Backups",
        "slug": "backups",
        "next_ping": None,
        "manual_resume": False,
        "methods": "",
        "subject": "",
        "subject_fail": "",
        "pause_url": f"{start}/api/v1/checks/{it['uuid']}/pause",
        "ping_url": f"{start}/ping/{it['uuid']}",
        "status": "new",
        "tags": "prod www",
        "timeout": 3600,
        "update_url": f"{start}/api/v1/checks/{it['uuid']}",
        "started": False,
        "uuid": it["uuid"],
        "resume_url": f"{start}/api/v1/checks/{it['uuid']}/resume",
    } | changed


SENT = {"name": "Backups", "tags": "prod www", "timeout": 3600, "grace": 60}


async def test_examples_of_create_update_pause_and_delete_are_answered_field_for_field(project: Project):
    made = await project("POST", "checks/", json=SENT)
    assert made.status_code == 201
    it = made.json()
    assert it == example(it)
    path = f"checks/{it['uuid']}"
    for method, url, status, more in (
        ("POST", path, "new", {"json": SENT}),
        ("GET", path, "new", {}),
        ("POST", f"{path}/pause", "paused", {}),
        ("POST", f"{path}/pause", "paused", {"json": {}}),
        ("POST", f"{path}/resume", "new", {}),
        ("DELETE", path, "new", {}),
    ):
        answer = await project(method, url, **more)
        assert (answer.status_code, answer.json()) == (200, example(it, status=status)), url
    for method, url in (("DELETE", path), ("GET", path), ("POST", path), ("POST", f"{path}/pause")):
        assert (await project(method, url)).status_code == 404


async def test_list_and_single_check_show_the_documented_fields_by_either_key(empty: Project):
    simple = await empty.create(**SENT)
    cron = await empty.create(name="Database Backup", schedule="15 5 * * *", tz="Europe/Riga")
    assert (await empty.get("checks/")) == {"checks": [simple, cron]}
    assert set(simple) == KEYS | SECRET | OURS | {"uuid", "resume_url"}
    assert set(cron) == set(simple) - {"timeout"} | {"schedule", "tz"}
    seen = (await empty.get("checks/", empty.reading))["checks"]
    assert [set(each) for each in seen] == [
        KEYS | OURS | {"unique_key"},
        KEYS - {"timeout"} | OURS | {"unique_key", "schedule", "tz"},
    ]
    for each, whole in zip(seen, (simple, cron), strict=True):
        assert await empty.get(f"checks/{each['unique_key']}", empty.reading) == each
        assert await empty.get(f"checks/{whole['uuid']}", empty.reading) == each
        assert await empty.get(f"checks/{each['unique_key']}") == whole
        assert await empty.get(f"checks/{whole['uuid']}") == whole


@pytest.mark.parametrize("version", [2, 3])
async def test_later_versions_name_themselves_and_have_no_started_status(empty: Project, version: int):
    empty.version = version
    it = await empty.create(name="Cron é Ü x_y", **({"slug": "own"} if version == 3 else {}))
    assert it["update_url"].endswith(f"/api/v{version}/checks/{it['uuid']}")
    assert it["slug"] == ("own" if version == 3 else "cron-e-u-x_y")
    await empty.ping(it, "run")
    seen = await empty.get(f"checks/{it['uuid']}")
    assert (seen["status"], seen["started"]) == ("new", True)
    empty.version = 1
    seen = await empty.get(f"checks/{it['uuid']}")
    assert (seen["status"], seen["started"]) == ("started", True)
    assert seen["next_ping"] is not None


async def test_defaults_are_those_of_the_document(empty: Project):
    it = await empty.create()
    assert (it["name"], it["slug"], it["timeout"], it["grace"], it["channels"]) == ("", "", 86400, 3600, "")
    cron = await empty.create(schedule="* * * * *", timeout=60)
    assert (cron["schedule"], cron["tz"], "timeout" in cron) == ("* * * * *", "UTC", False)
