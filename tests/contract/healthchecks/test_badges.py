"""Badges: their addresses, their forms and who may see them (contract B.7)."""

import xml.etree.ElementTree as ET
from urllib.parse import quote, urlsplit

from contract.healthchecks.conftest import Project


async def test_every_tag_and_all_checks_have_badges_in_six_forms_without_a_key(empty: Project):
    tags = ["db", "prod", "a/b", "ü", "100%", "<b>&\"'", "x.svg"]
    checks = [await empty.create(tags=" ".join(tags)), await empty.create(tags="db"), await empty.create()]
    badges = await empty.get("badges/", empty.reading)
    assert badges == await empty.get("badges/")
    assert set(badges["badges"]) == {*tags, "*"}
    for tag, urls in badges["badges"].items():
        assert set(urls) == {"svg", "svg3", "json", "json3", "shields", "shields3"}
        for form, url in urls.items():
            path = urlsplit(url).path
            start, sign, *rest = path.removeprefix("/badge/").split("/")
            kind, two = form.rstrip("3"), "" if form.endswith("3") else "-2"
            assert start == path.split("/")[2]
            if tag == "*":
                assert (len(sign), rest) == (len(f"12345678{two}.{kind}"), [])
            else:
                assert (len(sign), rest) == (8 + len(two), [f"{quote(quote(tag, safe=''), safe='')}.{kind}"])
            answer = await empty.http.get(url)
            assert answer.status_code == 200, url
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "no-cache" in answer.headers["cache-control"]
            label = "Pinghome" if tag == "*" else tag
            if kind == "svg":
                assert answer.headers["content-type"].startswith("image/svg+xml")
                assert ET.fromstring(answer.text)[0].text == f"{label}: up"  # noqa: S314  # our own
                assert "#4c1" in answer.text
            elif kind == "json":
                total = {"*": 3, "db": 2}.get(tag, 1)
                assert answer.json() == {"status": "up", "total": total, "grace": 0, "down": 0}
            else:
                shown = {"schemaVersion": 1, "label": label, "message": "up", "color": "success"}
                assert answer.json() == shown
    await empty.ping(checks[1], "complete", "fail")
    for tag, down in (("db", True), ("*", True), ("prod", False)):
        urls = badges["badges"][tag]
        status = "down" if down else "up"
        assert (await empty.http.get(urls["json3"])).json()["status"] == status
        assert (await empty.http.get(urls["shields"])).json()["color"] == ("critical" if down else "success")
        assert ("#e05d44" in (await empty.http.get(urls["svg"])).text) is down
    assert (await empty.http.get(badges["badges"]["*"]["json"])).json() == {
        "status": "down",
        "total": 3,
        "grace": 0,
        "down": 1,
    }


async def test_badge_that_nobody_signed_is_404(empty: Project, neighbour: Project):
    await empty.create(tags="db")
    url = urlsplit((await empty.get("badges/"))["badges"]["db"]["svg3"]).path
    other = urlsplit((await neighbour.get("badges/"))["badges"]["*"]["svg3"]).path
    _, _, key, sign, _ = url.split("/")
    for path in (
        f"/badge/{key}/{sign}/web.svg", f"/badge/{key}/{sign}.svg", f"/badge/{key}/xxxxxxxx/db.svg",
        f"/badge/{key}/{sign[:7]}/db.svg", f"/badge/{other.split('/')[2]}/{sign}/db.svg", f"/badge/{key}/{sign}/db.png",
        f"/badge/{key}/{sign}/db", f"/badge/{sign}/{sign}/db.svg", f"/badge/{empty.service}/{sign}/db.svg",
        f"/badge/{key}/{sign}/db.svg/x", "/badge/", "/badge/x", f"/badge/{key}/%00/db.svg",
    ):  # fmt: skip
        answer = await empty.http.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["access-control-allow-origin"] == "*"
    assert (await empty.http.get(url)).status_code == 200
    assert (await empty.http.get(url.replace(sign, f"{sign}xyz"))).status_code == 200  # eight characters count
    assert (await empty.http.post(url)).status_code == 405
    assert (await empty.http.head(url)).status_code == 200
    assert empty.service not in url
