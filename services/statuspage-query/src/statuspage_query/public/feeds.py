"""The feeds of a public page: RSS 2.0, Atom 1.0 and JSON Feed 1.1, with links on the page's own address."""

from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any
from xml.etree import ElementTree as ET  # it only writes here

import msgspec

from pinghome_web.language import Language
from statuspage_query.public.plain import for_xml
from statuspage_query.public.reports import MaintenanceReport
from statuspage_query.public.view import Report, View

NEWEST = 50

_ATOM = "http://www.w3.org/2005/Atom"
ET.register_namespace("atom", _ATOM)


def rss(view: View, url: str, t: Language) -> bytes:
    """RSS 2.0; the guid of an item never changes."""
    feed = ET.Element("rss", version="2.0")
    channel = ET.SubElement(feed, "channel")
    _text(channel, "title", t("page_title", name=view.title))
    _text(channel, "link", url)
    _text(channel, "description", view.page.description or t("page_title", name=view.title))
    ET.SubElement(channel, f"{{{_ATOM}}}link", href=f"{url}/history.rss", rel="self", type="application/rss+xml")
    _text(channel, "lastBuildDate", format_datetime(view.updated_at, usegmt=True))
    for each in _items(view):
        item = ET.SubElement(channel, "item")
        _text(item, "title", each.title)
        _text(item, "link", _link(each, url))
        _text(item, "guid", f"urn:uuid:{each.id}").set("isPermaLink", "false")
        _text(item, "pubDate", format_datetime(each.created_at, usegmt=True))
        _text(item, "description", _content(each, t))
    return _written(feed)


def atom(view: View, url: str, t: Language) -> bytes:
    """Atom 1.0."""
    feed = ET.Element("feed", xmlns=_ATOM)
    _text(feed, "id", f"urn:uuid:{view.page.id}")
    _text(feed, "title", t("page_title", name=view.title))
    _text(feed, "updated", _iso(view.updated_at))
    ET.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{url}/history.atom")
    ET.SubElement(feed, "link", rel="alternate", type="text/html", href=url)
    _text(ET.SubElement(feed, "author"), "name", view.page.name)
    for each in _items(view):
        entry = ET.SubElement(feed, "entry")
        _text(entry, "id", f"urn:uuid:{each.id}")
        _text(entry, "title", each.title)
        _text(entry, "published", _iso(each.created_at))
        _text(entry, "updated", _iso(each.updated_at))
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=_link(each, url))
        _text(entry, "content", _content(each, t)).set("type", "html")
    return _written(feed)


def json_feed(view: View, url: str, t: Language) -> bytes:
    """JSON Feed 1.1."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": t("page_title", name=view.title),
        "home_page_url": url,
        "feed_url": f"{url}/feed.json",
        "language": t.code,
        "items": [
            {
                "id": f"urn:uuid:{each.id}",
                "url": _link(each, url),
                "title": each.title,
                "content_html": _content(each, t),
                "date_published": _iso(each.created_at),
                "date_modified": _iso(each.updated_at),
            }
            for each in _items(view)
        ],
    }
    return msgspec.json.encode(feed)


def _items(view: View) -> list[Report]:
    told: list[Report] = [*view.incidents, *view.maintenances]
    return sorted(told, key=lambda each: each.created_at, reverse=True)[:NEWEST]


def _link(it: Report, url: str) -> str:
    return f"{url}/{it.kind}s/{it.id}"


def _content(it: Report, t: Language) -> str:
    """What there is to read, as HTML, newest first; messages are clean HTML."""
    if isinstance(it, MaintenanceReport):
        times = f"{_iso(it.starts_at)} \N{EN DASH} {_iso(it.ends_at)}"
        return f"<p><strong>{escape(t(f'stage.{it.status.value}'))}</strong> {times}</p>{it.message}"
    return "".join(
        f"<p><small>{_iso(each.at)}</small><br><strong>{escape(t(f'stage.{each.status}'))}</strong></p>{each.message}"
        for each in it.updates
    )


def _text(parent: ET.Element, name: str, value: str) -> ET.Element:
    it = ET.SubElement(parent, name)
    it.text = for_xml(value)
    return it


def _written(root: ET.Element) -> bytes:
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
