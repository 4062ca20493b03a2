"""Public pages over HTTP: what was written is shown, at every address, to those who may see it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contract.answers import refused
from contract.client import Client
from contract.public.owning import BELOW, changed, made, paths, told
from contract.target import eventually
from zone import Zone


async def shows(web: httpx.AsyncClient, url: str, *words: str) -> httpx.Response:
    """The answer that has all of some words: at once, unless the machine is too busy for a command to wait."""
    return await eventually(lambda: web.get(url), lambda it: all(each in it.text for each in words))


async def test_page_shows_what_was_just_written(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    url, component = f"/status/{page['subdomain']}", page["components"][0]["id"]
    shown = await shows(web, url, "All systems operational")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"

    bad = {"id": component, "status": "partial-outage"}
    incident = await told(owner, page, title="Slow", message="We <b>look</b>", components=[bad])
    await shows(web, url, "Slow", "We <b>look</b>", "Partial outage", f"{url}/incidents/{incident['id']}")

    body = {"status": "resolved", "message": "Done", "components": [{"id": component, "status": "operational"}]}
    answer = await owner(
        "POST", f"statuspage-cmd/v1/statuspage/{page['id']}/incident/{incident['id']}/update", json=body
    )
    assert answer.status_code == 201
    await shows(web, url, "All systems operational", "Done")

    begins = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await told(owner, page, "maintenance", title="New disks", scheduled_for=begins, duration=60, components=[component])
    await changed(owner, page, page_name="Acme Cloud")
    await shows(web, url, "New disks", "<title>Acme Cloud status</title>")

    await owner("DELETE", f"statuspage-cmd/v1/statuspage/{page['id']}")
    await eventually(lambda: web.get(url), lambda it: it.status_code == 404)


async def test_component_shows_the_state_of_its_monitor(owner: Client, web: httpx.AsyncClient):
    heartbeat = await owner.heartbeat(interval=2)
    follows = {"name": "Job", "type": "heartbeat", "resource_id": heartbeat["id"]}
    page = await made(owner, components=[follows])
    url = f"/status/{page['subdomain']}/api/v2/components.json"
    await owner("GET", f"data-gateway/v1/heartbeat/{heartbeat['id']}")

    async def status() -> str:
        return (await web.get(url)).json()["components"][0]["status"]

    await eventually(status, lambda it: it == "major_outage")


async def test_what_is_unchanged_costs_a_304(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    for path in ("", "/api/v2/summary.json", "/history.rss", "/badge.svg"):
        url = f"/status/{page['subdomain']}{path}"
        first = await web.get(url)
        assert first.headers["etag"].startswith('W/"')
        again = await web.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        head = await web.head(url)
        assert (head.status_code, head.content, head.headers["content-length"]) == (
            200,
            b"",
            first.headers["content-length"],
        )
    refusal = await web.request("DELETE", f"/status/{page['subdomain']}")
    assert refusal.status_code in (404, 405)


async def test_files_of_a_page_are_kept_for_ever(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, accent_color="#ff8800")
    shown = (await web.get(f"/status/{page['subdomain']}")).text
    files = [part.split('"')[0] for part in shown.split('"') if "/static/" in part]

    assert len(files) == 4  # two style sheets, the page's script and its worker
    for file in files:
        answer = await web.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert "#ff8800" in (await web.get(next(file for file in files if "accent" in file))).text
    assert (await web.get(f"/status/{page['subdomain']}/static/../app.py")).status_code == 404


async def test_language_is_the_visitors_unless_the_page_has_one(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    url = f"/status/{page['subdomain']}"

    async def language(accepted: str) -> str:
        answer = await web.get(url, headers={"Accept-Language": accepted})
        return answer.text.split('<html lang="')[1][:2]

    assert [await language(accepted) for accepted in ("de-AT,en;q=0.5", "fr, de;q=0.4", "fr", "", "de;q=0, x;q=y")] == [
        "de", "de", "en", "en", "en",
    ]  # fmt: skip
    assert "Accept-Language" in (await web.get(url)).headers["vary"]
    await changed(owner, page, language="de")
    assert await language("en") == "de"


async def test_disabled_page_is_as_one_that_nobody_has_at_every_path(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, name="canary")
    incident = await told(owner, page, title="canary")
    answer = await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}/status", json={"enabled": False})
    assert answer.status_code == 200

    for path in paths(incident["id"], page["components"][0]["id"]):
        theirs, nobodys = await web.get(f"/status/{page['subdomain']}{path}"), await web.get(f"/status/nobodys{path}")
        assert (theirs.status_code, theirs.text) == (404, nobodys.text), path
    host = {"Host": f"{page['subdomain']}.{BELOW}"}
    assert (await web.get("/", headers=host)).status_code == 404


async def test_page_at_its_subdomain_has_all_its_paths_at_the_root(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    incident = await told(owner, page, title="Slow")
    host = {"Host": f"{page['subdomain']}.{BELOW}"}
    shown = (await web.get("/", headers=host)).text
    address = f"http://{page['subdomain']}.{BELOW}"
    assert f'<link rel="canonical" href="{address}">' in shown
    assert 'href="/history"' in shown
    for path in (f"/incidents/{incident['id']}", "/history", "/badge.svg", "/api/v2/status.json"):
        assert (await web.get(path, headers=host)).status_code == 200, path
    summary = (await web.get("/api/v2/summary.json", headers=host)).json()
    assert summary["page"]["url"] == address
    assert summary["incidents"][0]["shortlink"] == f"{address}/incidents/{incident['id']}"
    assert f"{address}/incidents/{incident['id']}" in (await web.get("/history.rss", headers=host)).text
    for path in ("/v1/statuspages", "/metrics", "/docs", "/readyz", "/resource-query/v1/services", "/internal/ask"):
        assert (await web.get(path, headers=host)).status_code == 404, path
    assert (await web.get("/", headers={"Host": f"nobodys.{BELOW}"})).status_code == 404


async def test_hosts_of_the_platform_are_never_a_page(owner: Client, web: httpx.AsyncClient):
    for host in ("localhost", "127.0.0.1", "[::1]:80", BELOW):
        answer = await web.get("/", headers={"Host": host})
        assert "services" in answer.json(), host
    listed = await owner.by(type(owner.form).HOST)("GET", "statuspage-query/v1/statuspages")
    assert listed.status_code == 200


async def test_domain_is_served_once_it_is_verified(owner: Client, web: httpx.AsyncClient, names: Zone):
    domain = "status.example.org"
    page = await made(owner, domain=domain, name="Example")
    root, cname = {"Host": domain}, f"statuspage-query/v1/domain/{domain}/cname"
    assert "services" in (await web.get("/", headers=root)).json()
    assert not (await owner.get(cname))["configured"]

    names.records[domain, "CNAME"] = f"{page['subdomain']}.{BELOW}."

    assert (await owner.get(cname))["configured"]
    shown = await eventually(lambda: web.get("/", headers=root), lambda it: "Example" in it.text)
    assert f'<link rel="canonical" href="https://{domain}">' in shown.text
    assert (await web.get("/api/v2/status.json", headers=root)).json()["page"]["url"] == f"https://{domain}"
    assert f"https://{domain}" in (await web.get(f"/status/{page['subdomain']}/history.rss")).text
    for path in ("/internal/ask", "/statuspage-query/internal/ask"):
        for host in (domain, "localhost", "statuspage-query.api.pinghome.io"):
            asked = await web.get(path, params={"domain": domain}, headers={"Host": host})
            assert asked.status_code == 404, (path, host)
    await changed(owner, page, domain="")
    await eventually(lambda: web.get("/", headers=root), lambda it: it.text.startswith('{"services'))


async def test_domain_may_be_proven_by_a_text_record(owner: Client, web: httpx.AsyncClient, names: Zone):
    page = await made(owner, domain="proven.example.org")
    record = page["domain_verification"]
    names.records[record["name"], "TXT"] = f'"{record["value"]}"'

    assert (await owner.get("statuspage-query/v1/domain/proven.example.org/cname"))["configured"]

    root = {"Host": "proven.example.org:443"}
    await eventually(lambda: web.get("/", headers=root), lambda it: "Acme" in it.text)


async def test_page_goes_to_https_when_a_trusted_proxy_says_http(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, redirect_to_https=True)
    url = f"/status/{page['subdomain']}/history?x=1"

    sent = await web.get(
        url, headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1", "Host": "a.example"}
    )

    assert (sent.status_code, sent.headers["location"]) == (308, f"https://a.example{url}")
    for proto in ({}, {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}):
        assert (await web.get(url, headers=proto)).status_code == 200


async def test_stream_says_when_the_page_has_changed(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    url = f"/status/{page['subdomain']}/events"

    async with web.stream("GET", url) as stream, asyncio.timeout(20):
        assert stream.headers["content-type"] == "text/event-stream"
        assert "no-transform" in stream.headers["cache-control"]
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        await told(owner, page, title="Slow")
        async for line in lines:
            if line == "event: changed":
                break
    assert "Slow" in (await web.get(f"/status/{page['subdomain']}")).text


async def test_streams_of_one_viewer_are_few(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    url, viewer = f"/status/{page['subdomain']}/events", {"X-Forwarded-For": "192.0.2.77"}
    streams = [web.stream("GET", url, headers=viewer) for _ in range(10)]
    try:
        for each in streams:
            assert (await each.__aenter__()).status_code == 200
        busy = await web.get(url, headers=viewer)
        assert busy.status_code == 503
        async with web.stream("GET", url, headers={"X-Forwarded-For": "192.0.2.78"}) as other:
            assert other.status_code == 200
    finally:
        for each in streams:
            await each.__aexit__(None, None, None)

    async def again() -> int:
        async with web.stream("GET", url, headers=viewer) as stream:
            return stream.status_code

    await eventually(again, lambda status: status == 200)


@pytest.mark.parametrize("path", ["/unlock", "/subscribe", "/", "/anything"])
async def test_writes_to_a_pages_host_go_to_the_commands(owner: Client, web: httpx.AsyncClient, path: str):
    page = await made(owner)

    answer = await web.post(path, headers={"Host": f"{page['subdomain']}.{BELOW}"})

    assert answer.status_code in (404, 405, 422)
    if "html" not in answer.headers["content-type"]:
        refused(answer, answer.status_code)


async def test_json_for_tools_is_json_and_open_to_other_sites(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    answer = await web.get(f"/status/{page['subdomain']}/api/v2/summary.json", headers={"Origin": "https://x.test"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content)["page"]["name"] == "Acme"
