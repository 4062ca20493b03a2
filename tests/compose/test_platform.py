"""A newcomer's way through the platform in containers: the keys, the tour by its hosts, down and up again."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from compose.stack import DOMAIN, HOME, PROJECT, Stack, Target, docker, until
from pinghome.services import SERVICES

pytestmark = pytest.mark.timeout(1800)

SERVERS = ("postgres", "nats", "caddy")


def test_all_containers_are_healthy_and_the_keys_were_printed_once(stack: Stack):
    rows = [json.loads(line) for line in stack.compose("ps", "--format", "json").splitlines()]
    states = {row["Service"]: (row["State"], row["Health"]) for row in rows}
    assert states.pop("caddy") == ("running", "")
    assert states == dict.fromkeys((*SERVICES, "console", "postgres", "nats"), ("running", "healthy"))
    assert stack.keys.keys() == {"TOKEN", "CHECKS_KEY", "CHECKS_READ_KEY", "STATUS_TOKEN", "PING_KEY"}
    assert stack.ask(DOMAIN, "GET", "/readyz") == {"ready": True}


def test_the_tour_by_the_public_hosts(stack: Stack, target: Target):
    (service, *_) = stack.service("resource-query", "GET", "/v1/services")["data"]
    body = {"name": "On call", "kind": "webhook", "service_id": service["id"], "config": {"url": target.url}}
    channel = stack.service("resource-cmd", "POST", "/v1/channel", json=body)["id"]
    stack.service("resource-cmd", "PUT", f"/v1/service/{service['id']}", json={"channels": [channel]})
    body = {"name": "My site", "type": "http", "url": f"{target.url}/", "interval": 5}
    body |= {"regions": [HOME], "service_id": service["id"]}
    monitor = stack.service("resource-cmd", "POST", "/v1/resource", json=body)["id"]
    page = {"name": "Acme", "description": "", "subdomain": "acme", "type": "public", "auto_incidents": True}
    page["components"] = [{"name": "Website", "type": "resource", "resource_id": monitor}]
    stack.service("statuspage-cmd", "POST", "/v1/statuspage", json=page)

    def state() -> str:
        return stack.service("resource-query", "GET", f"/v1/resource/{monitor}")["state"]

    until(lambda: state() == "up")
    target.down()
    until(lambda: state() == "down")
    until(lambda: "My site is down" in target.told)
    (change, *_) = stack.service("statistic-query", "GET", f"/v1/resource/{monitor}/state-changed-logs")["data"]
    assert "503" in change["reason"]

    def tells(host: str, path: str) -> bool:
        page = stack.ask(host, "GET", path)
        return "Website" in page and "outage" in page.lower()

    until(lambda: tells(DOMAIN, "/status/acme"))
    until(lambda: tells(f"acme.status.{DOMAIN}", "/"))
    target.up()
    until(lambda: state() == "up")

    body = {"name": "Nightly backup", "interval": 60, "service_id": service["id"]}
    url = stack.service("resource-cmd", "POST", "/v1/heartbeat", json=body)["heartbeat"]["url"]
    assert url.startswith(f"https://{DOMAIN}/data-gateway/")
    id_ = url.rpartition("/")[2]
    stack.ask(DOMAIN, "GET", f"{url.removeprefix(f'https://{DOMAIN}')}?result=run")
    stack.service("data-gateway", "GET", f"/v1/heartbeat/{id_}?result=complete")
    until(lambda: stack.service("resource-query", "GET", f"/v1/heartbeat/{id_}")["state"] == "up")

    key = {"X-Api-Key": stack.keys["CHECKS_KEY"]}
    check = {"name": "Reports", "slug": "reports", "timeout": 3600}
    made = stack.ask(DOMAIN, "POST", "/api/v3/checks/", headers=key, json=check)
    assert stack.ask(DOMAIN, "GET", made["ping_url"].removeprefix(f"https://{DOMAIN}")) == "OK"
    until(lambda: stack.ask(DOMAIN, "GET", "/api/v3/checks/?slug=reports", headers=key)["checks"][0]["status"] == "up")


def test_the_command_runs_beside_the_platform(stack: Stack):
    name = f"Organisation {uuid4().hex[:6]}"
    made = json.loads(stack.compose("run", "--rm", "-T", "pinghome", "organisation", "create", name))
    until(
        lambda: stack.service(
            "resource-query", "GET", "/v1/services", headers={"Authorization": f"Bearer {made['token']}"}
        )
    )
    assert json.loads(stack.compose("run", "--rm", "-T", "pinghome", "dead-letters", "list")) == []
    done = stack.compose("run", "--rm", "-T", "--entrypoint", "sh", "pinghome", "-c", "pinghome doctor --json; true")
    findings = {each["part"]: each["level"] for each in json.loads(done)}
    assert findings.pop("certificate") == "problem"  # the domain is not in the DNS
    assert set(findings.values()) == {"ok"}, done
    assert {
        "postgresql",
        "nats",
        *(f"service http://{name}:8000" for name in (*SERVICES, "console")),
    } <= findings.keys()


def test_services_run_without_rights_on_a_root_that_nobody_can_write(stack: Stack):
    for name in (*SERVICES, "console", *SERVERS):
        (it,) = json.loads(docker("inspect", f"{PROJECT}-{name}-1"))
        assert it["Config"]["User"] == ("postgres" if name == "postgres" else "10001:10001"), name
        assert it["HostConfig"]["ReadonlyRootfs"], name
        assert it["HostConfig"]["CapDrop"] == ["ALL"], name
        assert it["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"], name
        assert not it["HostConfig"]["Privileged"], name
        assert it["HostConfig"]["Memory"], name
    status = stack.compose("exec", "-T", "resource-cmd", "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert {int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    stack.compose("exec", "-T", "resource-cmd", "sh", "-c", "touch /anything", status=1)


def test_no_secret_is_in_a_layer_or_shown_by_inspect(stack: Stack):
    command = ("run", "--rm", "-T", "--entrypoint", "cat", "pinghome", "/data/keys.json", "/data/servers.json")
    secrets = set(re.findall(r'": "(.+)"', stack.compose(*command))) | set(stack.keys.values())
    assert len(secrets) == 20  # six keys, eight of the broker's, six of PostgreSQL's
    containers = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
    images = [f"{PROJECT}/{name}" for name in (*SERVICES, "console", "pinghome")]
    shown = docker("inspect", *containers) + "".join(docker("history", "--no-trunc", image) for image in images)
    assert not [secret for secret in secrets if secret in shown]
    for image in images:
        look = (
            "find / -xdev '(' -name '.env*' -o -name keys.json -o -path '/data/*' -o -path '/config/*' ')' 2>/dev/null"
        )
        assert docker("run", "--rm", "--entrypoint", "sh", image, "-c", f"{look}; true") == "", image


def test_a_thousand_monitors_fit_into_a_small_machine(stack: Stack, target: Target):
    print(f"\nidle: {memory()}")
    service = str(uuid4())

    def make(number: int) -> str:
        body = {"name": f"many-{number}", "type": "http", "url": target.url, "interval": 60, "regions": [HOME]}
        return stack.service("resource-cmd", "POST", "/v1/resource", json=body | {"service_id": service})["id"]

    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(make, range(1000)))
        list(threads.map(lambda id_: until(lambda: state_of(stack, id_) == "up"), ids))
        time.sleep(60)  # one more round
        used = memory()
        print(f"with 1,000 monitors: {used}")
        list(threads.map(lambda id_: stack.service("resource-cmd", "DELETE", f"/v1/resource/{id_}"), ids))
    assert used["all"] < 1500


def state_of(stack: Stack, id_: str) -> str:
    """The state of a monitor."""
    state: str = stack.service("resource-query", "GET", f"/v1/resource/{id_}")["state"]
    return state


def memory() -> dict[str, int]:
    """MiB that the containers have, without what the kernel can take back at once."""
    rows = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines()
    found = {row.split()[0].removeprefix(f"{PROJECT}-"): row.split()[1] for row in rows if row.startswith(PROJECT)}
    used = {name: round(float(size.removesuffix("MiB"))) for name, size in found.items() if size.endswith("MiB")}
    used.pop("world", None)
    return {"all": sum(used.values())} | used


def test_down_and_up_again_keeps_everything_and_prints_no_key(stack: Stack):
    before = stack.service("resource-query", "GET", "/v1/services")["data"]
    stack.compose("down")
    assert stack.up() == f"The containers of {DOMAIN} are configured.\n"
    assert stack.service("resource-query", "GET", "/v1/services")["data"] == before
    changed = "PINGHOME_PAGES_LIMIT=7\n"
    with (stack.folder / ".env").open("a") as out:
        out.write(changed)
    stack.up()
    assert stack.compose("exec", "-T", "statuspage-cmd", "cat", "PINGHOME_PAGES_LIMIT") == "7"


def test_wrong_settings_end_the_start_with_a_sentence(stack: Stack):
    path: Path = stack.folder / ".env"
    good = path.read_text()
    path.write_text(good + "PINGHOME_SECRET_KEY=change-me\n")
    said = stack.compose("run", "--rm", "--no-deps", "configure", status=1)
    assert "PINGHOME_SECRET_KEY: this is an example's" in said
    path.write_text(good)
