"""A check and a heartbeat are one thing: what is made in one dialect is there in the other."""

from contract.client import Client
from contract.healthchecks.conftest import Project


async def test_check_is_a_heartbeat_of_pinghome(project: Project, client: Client, name: str):
    it = await project.create(name=name, timeout=120, methods="POST")
    seen = await client.get(f"resource-query/v1/heartbeat/{it['uuid']}")
    assert (seen["name"], seen["interval"], seen["methods"]) == (name, 120, ["POST"])
    assert (seen["service_id"], seen["state"], seen["channels"]) == (project.service, "pending", [])
    url = f"resource-cmd/v1/heartbeat/{it['uuid']}"
    assert (await client("PUT", url, json={"enabled": False, "name": "Renamed Ā"})).status_code == 200
    seen = await project.get(f"checks/{it['uuid']}")
    assert (seen["status"], seen["manual_resume"], seen["slug"]) == ("paused", True, "renamed-a")
    assert (await client("DELETE", url)).status_code == 200
    assert (await project("GET", f"checks/{it['uuid']}")).status_code == 404


async def test_heartbeat_is_a_check(project: Project, client: Client, name: str):
    made = await client.heartbeat(name=name, service_id=project.service, interval=90)
    it = await project.get(f"checks/{made['id']}")
    assert (it["name"], it["timeout"], it["grace"], it["methods"]) == (name, 90, 0, "")
    assert (it["slug"], it["manual_resume"], it["status"]) == (name.replace(" ", "-"), True, "new")
    assert it in (await project.get("checks/"))["checks"]
    await project("POST", f"checks/{made['id']}", json={"desc": "ours", "grace": 60})
    await project("POST", f"checks/{made['id']}/pause")
    seen = await client.get(f"resource-query/v1/heartbeat/{made['id']}")
    assert (seen["enabled"], seen["state"], seen["methods"]) == (False, "paused", made["methods"])
    assert (await project("DELETE", f"checks/{made['id']}")).status_code == 200


async def test_heartbeat_that_names_no_channels_shows_those_of_its_service(empty: Project, client: Client):
    told = [(await client.channel(service_id=empty.service))["id"] for _ in range(2)]
    assert (await client("PUT", f"resource-cmd/v1/service/{empty.service}", json={"channels": told})).status_code == 200
    made = await client.heartbeat(service_id=empty.service)
    shown = ",".join(sorted(told))
    assert (await empty.get(f"checks/{made['id']}"))["channels"] == shown
    assert [each["channels"] for each in (await empty.get("checks/"))["checks"]] == [shown]
    assert (await empty("POST", f"checks/{made['id']}", json={"name": "x"})).json()["channels"] == shown
    assert (await empty("POST", f"checks/{made['id']}", json={"channels": ""})).json()["channels"] == ""
