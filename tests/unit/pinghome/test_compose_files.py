"""deploy/Dockerfile and the compose files: their form, and that each container has what is its own and nothing else."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pinghome import services

ROOT = Path(__file__).parents[3]
FILES = ["deploy/compose.yaml", "deploy/prober.compose.yaml", "deploy/cluster/compose.yaml"]
OVERRIDES = ["tests/compose/override.yaml", "tests/compose/cluster.override.yaml"]


def read(file: str) -> Any:
    """The document of a file; `!override` says only how it joins another."""
    return yaml.safe_load((ROOT / file).read_text().replace(" !override", ""))


COMPOSE = read("deploy/compose.yaml")
CONTAINERS: dict[str, Any] = COMPOSE["services"]
CLUSTER = read("deploy/cluster/compose.yaml")


def ran(*command: str) -> None:
    done = subprocess.run([ROOT / ".venv/bin" / command[0], *command[1:]], cwd=ROOT, check=False, capture_output=True)  # noqa: S603  # our own
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def mounts(container: str) -> dict[str, tuple[str, bool]]:
    """Source → target and whether it is read only."""
    found = {}
    for each in CONTAINERS[container].get("volumes", ()):
        if isinstance(each, str):
            source, target, *mode = each.split(":")
            found[source] = target, mode == ["ro"]
        else:
            found[each["source"]] = each["target"], each.get("read_only", False)
    return found


def test_dockerfiles_are_clean():
    ran("hadolint", "deploy/Dockerfile", "deploy/cluster/Dockerfile", "tests/compose/Dockerfile")
    ran("hadolint", "tests/compose/next.Dockerfile")


def test_compose_files_are_what_the_specification_allows(tmp_path: Path):
    plain = [tmp_path / file.replace("/", "-") for file in (*FILES, *OVERRIDES)]
    for path, file in zip(plain, (*FILES, *OVERRIDES), strict=True):
        path.write_text(yaml.safe_dump(read(file)))
    ran("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *map(str, plain))


def test_every_service_runs():
    assert services.SERVICES.keys() | {"console"} <= CONTAINERS.keys()
    urls = CONTAINERS["pinghome"]["environment"]["PINGHOME_SERVICES"].split()
    assert urls == [f"http://{name}:8000" for name in (*services.SERVICES, "console")]


@pytest.mark.parametrize("file", FILES[:2])
def test_every_container_may_do_as_little_as_it_needs(file: str):
    for name, container in read(file)["services"].items():
        assert container["read_only"] is True, name
        assert container["cap_drop"] == ["ALL"], name
        assert container.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else []), name
        assert container["security_opt"] == ["no-new-privileges:true"], name
        assert not any(word in container for word in ("privileged", "platform", "devices")), name
        once = name in ("configure", "databases", "pinghome")
        assert container["restart"] == ("no" if once else "unless-stopped"), name
        assert once or "mem_limit" in container, name


def test_what_is_configured_for_a_container_is_mounted_by_it_alone():
    configured = {source: target for source, (target, _) in mounts("configure").items() if source.startswith("config-")}
    assert configured == {source: f"/volumes/{source.removeprefix('config-')}" for source in configured}
    assert set(configured) == {
        f"config-{name}" for name in (*services.SERVICES, "console", "postgres", "nats", "pinghome")
    }
    for source in configured:
        owner = source.removeprefix("config-")
        having = {name for name in CONTAINERS if name != "configure" and source in mounts(name)}
        assert having == {owner} | {"nats": {"pinghome"}, "pinghome": {"databases"}}.get(owner, set())
        target, read_only = mounts(owner)[source]
        assert (target, read_only) == ("/volumes/nats" if owner == "nats" else "/config", True)
    assert {name for name in CONTAINERS if "platform" in mounts(name)} == {"configure", "databases", "pinghome"}


def test_data_is_a_volume_of_each_service_and_every_volume_is_used():
    for name in services.SERVICES:
        assert mounts(name)[name] == ("/data", False)
    used = {source for name in CONTAINERS for source in mounts(name) if source[0] != "."}
    assert used == COMPOSE["volumes"].keys()


def test_the_image_has_the_folders_at_which_volumes_are_first_mounted():
    text = (ROOT / "deploy/Dockerfile").read_text()
    made = set(text[text.index("RUN mkdir") : text.index("chown")].split())
    assert {target for target, _ in mounts("configure").values() if target.startswith("/volumes/")} < made
    assert {each.partition(":")[2] for each in CLUSTER["services"]["configure"]["volumes"]} < made


def test_there_are_two_or_three_of_everything_in_the_cluster():
    containers = CLUSTER["services"]
    assert {name: containers[name]["scale"] for name in services.SERVICES} == dict.fromkeys(services.SERVICES, 2)
    servers = {"nats", "nats-2", "nats-3", "postgres", "postgres-2", "etcd-1", "etcd-2", "etcd-3"}
    assert containers.keys() == {*services.SERVICES, *servers, "configure", "databases", "console-2"}
    for name in services.SERVICES:  # of which only two can share a folder of data
        alone = containers[name].get("volumes") == [{"type": "volume", "target": "/data"}]
        assert alone is (name not in ("data-gateway", "prober")), name
    used = {each["source"] for name in servers for each in containers[name]["volumes"] if isinstance(each, dict)}
    used |= {each.partition(":")[0] for name in ("postgres", "postgres-2") for each in containers[name]["volumes"]}
    assert used == CLUSTER["volumes"].keys()


def test_etcd_may_do_as_little_as_it_needs():
    for number in (1, 2, 3):
        container = CLUSTER["services"][f"etcd-{number}"]
        assert (container["read_only"], container["cap_drop"]) == (True, ["ALL"])
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert container["networks"] == ["election"]


def test_no_secret_is_in_the_environment_of_a_container():
    words = ("password", "secret", "token", "key", "url")
    found = [
        name
        for container in CONTAINERS.values()
        for name in container.get("environment", {})
        if any(word in name.lower() for word in words) and not name.endswith("_FILE")
    ]
    assert found == []


def test_only_who_has_a_database_reaches_postgresql():
    reaching = {name for name in CONTAINERS if "databases" in CONTAINERS[name].get("networks", ())}
    assert reaching == {*services.SERVICES, "postgres", "databases", "pinghome"} - {"data-gateway", "prober"}
