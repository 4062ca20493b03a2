"""Programs that read Atlassian Statuspage read our pages, too: unmodified, as they are published."""

import asyncio
import json
import os
import sys
from pathlib import Path

from playwright.async_api import Browser, expect
from prometheus_client.parser import text_string_to_metric_families

from contract.client import Client
from contract.public.owning import BELOW, made, told
from contract.target import listening
from running import Platform

BIN = Path(sys.executable).parent


async def troubled(owner: Client) -> dict:
    listed = [{"name": name, "type": "manual"} for name in ("Website", "API")]
    page = await made(owner, components=listed)
    given = [{"id": page["components"][1]["id"], "status": "partial-outage"}]
    await told(owner, page, title="API is slow", message="We look", components=given)
    begins = "2030-01-01T00:00:00Z"
    ids = [page["components"][0]["id"]]
    await told(owner, page, "maintenance", title="New disks", scheduled_for=begins, duration=60, components=ids)
    return page


async def test_exporter_of_prometheus(owner: Client, pages: Platform, tmp_path: Path):
    page = await troubled(owner)
    url = f"{pages.url}/status/{page['subdomain']}/api/v2/summary.json"
    (tmp_path / "services.json").write_text(json.dumps({"ours": {"url": url, "name": "Ours"}}))
    environment = {**os.environ, "RUN_MODE": "once", "METRICS_TEXTFILE_PATH": "out.prom", "NO_PROXY": "*"}
    process = await asyncio.create_subprocess_exec(
        BIN / "statuspage-prometheus-exporter", cwd=tmp_path, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    families = text_string_to_metric_families((tmp_path / "out.prom").read_text())
    found = {each.name: each.samples for each in families}
    of = {each.labels["component_name"]: each.value for each in found["statuspage_component_status"]}
    assert of == {"Website": 1.0, "API": 0.0}
    assert [each.value for each in found["statuspage_service_status"]] == [0.0]
    assert [each.value for each in found["statuspage_probe_check"]] == [1.0]
    (incident,) = found["statuspage_incident_info"]
    assert incident.labels["incident_name"] == "API is slow"
    assert incident.labels["impact"] == "major"
    assert incident.labels["affected_components"] == "API"


async def test_widget_on_another_site(owner: Client, pages: Platform, browser: Browser, node: Path):
    page = await troubled(owner)
    script = (node / "@statuspage/status-widget/dist/index.js").read_text().replace("</script", "<\\/script")
    address = f"http://{page['subdomain']}.{BELOW}:{pages.port}"
    html = f'<!doctype html><statuspage-widget src="{address}"></statuspage-widget><script>{script}</script>'
    async with listening(says=html) as other:  # a real server: what is local may be asked by local sites alone
        context = await browser.new_context()
        tab = await context.new_page()
        await tab.goto(other.url)
        await expect(tab.get_by_text("Partial System Outage")).to_be_visible()
        await context.close()
