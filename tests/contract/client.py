"""How PingHome's API is called here: in the words of the document, by host name or by path prefix."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx

from running import TOKEN

DOMAIN = "api.pinghome.io"
CANARY = f"canary-{uuid4()}"
"""Part of all that is wrong, secret or odd here; no log may ever have it."""


class Form(Enum):
    """The four ways to address one route."""

    HOST = "https://resource-cmd.api.pinghome.io/v1/…"
    HOST_SLASH = "the same with a trailing slash"
    PREFIX = "/resource-cmd/v1/…"
    PREFIX_SLASH = "that with a trailing slash"


@dataclass(frozen=True)
class Client:
    """An organisation's client; `client("PUT", "https://resource-cmd.api.pinghome.io/v1/…", json={…})`."""

    http: httpx.AsyncClient
    token: str | None
    form: Form = Form.PREFIX

    @property
    def service_id(self) -> str:
        """Where this client's things are unless they say otherwise; for the first organisation it is SERVICE."""
        return SERVICE if self.token in (None, TOKEN) else str(uuid5(NAMESPACE_URL, self.token or ""))

    def by(self, form: Form) -> Self:
        return replace(self, form=form)

    async def __call__(self, method: str, url: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        """The answer to a request of the document; the URL has the service as its host, in full or short."""
        parts = urlsplit(url if "//" in url else f"//{url}")
        service, path = parts.netloc.removesuffix(f".{DOMAIN}"), parts.path
        sent = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if self.form in {Form.HOST_SLASH, Form.PREFIX_SLASH}:
            path += "/"
        if self.form in {Form.HOST, Form.HOST_SLASH}:
            sent["Host"] = f"{service}.{DOMAIN}"
        else:
            path = f"/{service}{path}"
        target = f"{path}?{parts.query}" if parts.query else path
        return await self.http.request(method, target, headers=sent | (headers or {}), **more)

    async def get(self, url: str, **query: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = await self("GET", url, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def resource(self, **settings: Any) -> dict[str, Any]:
        """A new monitor; it looks at a port where nobody listens unless `url` says where."""
        return await self._made("resource", RESOURCE | {"name": f"monitor {uuid4()}"} | settings)

    async def heartbeat(self, **settings: Any) -> dict[str, Any]:
        """A new heartbeat."""
        return await self._made("heartbeat", HEARTBEAT | {"name": f"heartbeat {uuid4()}"} | settings)

    async def server(self, **settings: Any) -> dict[str, Any]:
        """A new server."""
        return await self._made("server-resource", SERVER | {"name": f"server {uuid4()}"} | settings)

    async def channel(self, **settings: Any) -> dict[str, Any]:
        """A new channel; its webhook is a port where nobody listens."""
        return await self._made("channel", CHANNEL | {"name": f"channel {uuid4()}"} | settings)

    async def service(self, **settings: Any) -> dict[str, Any]:
        """A new service."""
        return await self._made("service", {"name": f"service {uuid4()}"} | settings)

    async def key(self, **settings: Any) -> dict[str, Any]:
        """A new key."""
        return await self._made("key", BODIES["key"] | {"name": f"key {uuid4()}"} | settings)

    async def page(self, **settings: Any) -> dict[str, Any]:
        """A new status page with a component."""
        body = PAGE | {"name": f"page {uuid4()}", "subdomain": f"p{uuid4().hex}"}
        body |= {"components": [{"name": "by hand", "type": "manual"}]}
        answer = await self("POST", "statuspage-cmd/v1/statuspage", json=body | settings)
        assert answer.status_code == 201, answer.text
        return answer.json()["statuspage"]

    async def tells(self, page: str, noun: str, **settings: Any) -> dict[str, Any]:
        """What a page tells of: a new incident, maintenance or template, or `incident/<id>/update`."""
        kind = noun.rpartition("/")[2]
        body = {name: value for name, value in (BODIES[kind] | settings).items() if value is not None}
        answer = await self("POST", f"statuspage-cmd/v1/statuspage/{page}/{noun}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()[kind]

    async def _made(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("service_id") == SERVICE:
            body = body | {"service_id": self.service_id}
        answer = await self("POST", f"resource-cmd/v1/{kind}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()[kind.replace("-", "_")]


SERVICE = "8d1b2c5e-6f0a-4d6b-9d3f-5a0c8a1f7e11"
"""A service that nobody made: any UUID will do (contract A.0)."""

RESOURCE = {
    "name": "",
    "type": "http",
    "url": "http://127.0.0.1:1/",
    "service_id": SERVICE,
    "regions": ["eu-central-1"],
    "interval": 86400,
}
CHANNEL = {"name": "", "kind": "webhook", "service_id": SERVICE, "config": {"url": "http://127.0.0.1:1/"}}
INTEGRATION = {"name": "Incident name", "integration": "r276xxt51c23", "type": "statuspageIo", "token": "x"}
HEARTBEAT = {"name": "", "service_id": SERVICE, "interval": 60}
SERVER = {"name": "", "service_id": SERVICE}
PAGE = {"name": "", "description": "", "type": "public"}
BODIES: dict[str, dict[str, Any]] = {
    "resource": RESOURCE,
    "heartbeat": HEARTBEAT,
    "server-resource": SERVER,
    "service": {},
    "channel": CHANNEL,
    "integration": INTEGRATION,
    "statuspage": PAGE,
    "subscription": {"addresses": ["info@example.com"]},
    "reminder": {"days_before": [1]},
    "incident": {"title": "Payments fail"},
    "update": {"status": "identified"},
    "postmortem": {"message": "What we have learnt"},
    "maintenance": {"title": "Upgrade", "scheduled_for": "2100-01-01T00:00:00Z", "duration": 60},
    "template": {"name": "Bank", "title": "Payments fail"},
    "key": {"kind": "bearer", "scope": "read"},
}
"""What makes one of each noun."""
