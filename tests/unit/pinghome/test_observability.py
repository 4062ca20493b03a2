"""deploy/observability: Prometheus reads it, alerts fire when they should, and every metric in it is one of ours."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from bench.debian import provide
from pinghome import services

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/observability"
DASHBOARD = json.loads((FOLDER / "grafana/pinghome.json").read_text())
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """Every query of the dashboard, with what Grafana puts in for its variable."""
    shown = (target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", []))
    return [each.replace("$__rate_interval", "1m") for each in shown]


def promtool(*words: str | Path) -> str:
    provide(["promtool"])
    done = subprocess.run([shutil.which("promtool"), *words], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_configuration_and_rules_are_valid():
    assert f"{len(RULES)} rules found" in promtool("check", "config", FOLDER / "prometheus.yml")


def test_queries_of_the_dashboard_are_valid(tmp_path: Path):
    rules = [{"record": f"panel_{number}", "expr": each} for number, each in enumerate(expressions())]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", path)


def test_each_alert_fires_for_what_it_is_about_and_none_while_all_is_well():
    path = Path(__file__).with_name("alerts.test.yml")
    promtool("test", "rules", path)
    assert {rule["alert"] for rule in RULES} == set(re.findall(r'alertname="(\w+)"', path.read_text()))


def test_operations_say_what_to_do_about_each_alert():
    told = re.findall(r"^\| `(Pinghome\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert told == [rule["alert"] for rule in RULES]


def test_containers_are_as_the_specification_allows_and_may_do_little():
    path = FOLDER / "compose.yaml"
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    for container in yaml.safe_load(path.read_text())["services"].values():
        assert (container["read_only"], container["cap_drop"]) == (True, ["ALL"])
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert all(port.startswith("127.0.0.1:") for port in container["ports"])
        mounted = [each.split(":")[0] for each in container["volumes"]]
        assert all((ROOT / "deploy" / each).exists() for each in mounted if each.startswith("."))


def _labels(query: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics of a query, with the labels that it asks them for."""
    for name, matchers in re.findall(r"((?:pinghome|process)_\w+)(\{[^}]*\})?", query):
        yield name, set(re.findall(r"(\w+)\s*[=!]", matchers))


@pytest.mark.parametrize("query", [*(rule["expr"] for rule in RULES), *expressions()])
def test_every_metric_is_one_that_services_measure(query: str):
    for factory in services.SERVICES.values():
        import_module(factory.partition(":")[0])
    known: dict[str, Any] = REGISTRY._names_to_collectors
    for name, labels in _labels(query):
        assert name in known, name
        assert labels <= set(getattr(known[name], "_labelnames", ())), (name, labels)


def test_panels_do_not_cover_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
