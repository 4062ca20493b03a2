"""Heartbeats by a schedule, with grace and a description, in PingHome's words (contract K, our extension)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from contract.answers import but, refused
from contract.client import Client
from contract.healthchecks.conftest import Project, made
from pinghome_common.clock import now
from running import Platform

PLAIN = {"schedule": "", "timezone": "UTC", "grace": 0, "description": "", "next_runs": []}


def times(it: dict[str, Any]) -> list[datetime]:
    return [datetime.fromisoformat(each) for each in it["next_runs"]]


async def changed(client: Client, it: dict[str, Any], **settings: Any) -> dict[str, Any]:
    answer = await client("PUT", f"resource-cmd/v1/heartbeat/{it['id']}", json=settings)
    assert answer.status_code == 200, answer.text
    read = await client.get(f"resource-query/v1/heartbeat/{it['id']}")
    assert but(read, "url", "next_runs") == but(answer.json()["heartbeat"], "url", "next_runs")
    return read


async def test_schedule_has_its_next_five_runs_in_its_zone_and_can_go_again(client: Client):
    it = await client.heartbeat()
    assert it | PLAIN == it
    it = await changed(client, it, schedule="30 2 * * *", timezone="Europe/Berlin", grace=600, description="Backup")
    assert (it["schedule"], it["timezone"], it["grace"], it["description"]) == (
        "30 2 * * *", "Europe/Berlin", 600, "Backup",
    )  # fmt: skip
    runs = times(it)
    assert len(runs) == 5
    assert now() < runs[0] <= now() + timedelta(days=1, hours=1)
    assert runs == sorted(set(runs))
    assert all(each.tzinfo == UTC for each in runs)
    assert {each.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") for each in runs} <= {
        "02:30",
        "03:00",
        "03:30",
    }
    listed = await client.get(f"resource-query/v1/service/{it['service_id']}/heartbeats", q=it["name"])
    assert listed["data"] == [it]
    assert len(times(await changed(client, it, schedule="Mon *-*-* 10:00"))) == 5
    it = await changed(client, it, schedule="")
    assert (it["schedule"], it["next_runs"], it["grace"]) == ("", [], 600)


async def test_what_is_set_here_is_what_the_check_has_and_the_other_way_round(platform: Platform, client: Client):
    project: Project = await made(platform, client.http, client, "First organisation")
    words = {"schedule": "*/5 * * * *", "timezone": "Asia/Tokyo", "grace": 120, "description": "five"}
    it = await client.heartbeat(service_id=project.service, **words)
    check = await project.get(f"checks/{it['id']}")
    assert check | {"schedule": "*/5 * * * *", "tz": "Asia/Tokyo", "grace": 120, "desc": "five"} == check
    sent = {"schedule": "0 0 1 * *", "tz": "UTC", "grace": 60, "desc": "one"}
    assert (await project("POST", f"checks/{it['id']}", json=sent)).status_code == 200
    read = await client.get(f"resource-query/v1/heartbeat/{it['id']}")
    assert read | {"schedule": "0 0 1 * *", "timezone": "UTC", "grace": 60, "description": "one"} == read


async def test_what_is_no_schedule_zone_grace_or_description_is_422(client: Client):
    it = await client.heartbeat(name=f"kept {uuid4()}", schedule="0 0 * * *")
    for field, wrong in (
        ("schedule", ["never", "* * * * * * *", "0 0 30 2 *", "x" * 101, 5, "a\0"]),
        ("timezone", ["Mars", "", None]), ("grace", [-1, 31_536_001, "60", None]), ("description", ["x" * 1001, None]),
    ):  # fmt: skip
        for value in wrong:
            refused(await client("PUT", f"resource-cmd/v1/heartbeat/{it['id']}", json={field: value}), 422, field)
    assert (await client.get(f"resource-query/v1/heartbeat/{it['id']}"))["schedule"] == "0 0 * * *"
