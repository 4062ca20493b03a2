"""Random commands through PingHome's, PingPong's and Healthchecks' API leave every view as one small model says."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from contract.pingpong.conftest import Project
from contract.pingpong.model import ATLASSIAN, BANNERS, PONG, PROGRESS, Affected, Component, Incident, Page, Update
from contract.pingpong.test_incidents import ours
from pinghome_common.dialects.pingpong import short

EXAMPLES, STEPS = 5, 25
PATIENCE = 30
"""Seconds within which all views agree, however busy the machine is."""

DIALECT = st.sampled_from(["ping", "pong"])
STATUS = st.sampled_from([*PONG])
PICK = st.integers(0, 11)
"""Which one of those that there are."""
SHIELDS = {
    "All systems operational": "Operational", "Some systems have issues": "Major issues",
    "All systems down": "Critical state", "Under maintenance": "Maintenance mode",
}  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One page; ids are PingHome's. One of its components follows a check of Healthchecks' dialect."""

    project: Project
    http: httpx.Client
    checks_key: str

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.url = f"statuspage/{self.project.page['id']}"
        for noun in ("incident", "maintenance"):
            while rows := self.read(f"{self.url}/{noun}s?limit=500")["data"]:
                for each in rows:
                    self.ping("DELETE", f"{self.url}/{noun}/{each['id']}")
        self.ping("PUT", self.url, {"components": [], "groups": []})
        self.made = self.checks("POST", "checks/", {"name": "job", "timeout": 86400, "grace": 86400})
        self.check(0)
        self.begin()

    def begin(self) -> None:
        """Some things of both dialects, so that there is something to change from the first step on."""
        for dialect in ("ping", "pong"):
            self.add(dialect, "operational", showcased=True)
            self.open(dialect, "degraded", 1)
            self.write(dialect, 0, "identified")
        self.put(Component("follower", "operational", showcased=True, follows=True))

    # How the page is asked.

    def asked(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        answer = self.http.request(method, path, headers=headers, json=body)
        assert answer.status_code in (200, 201, 204), f"{method} {path} {body} {answer.text}"
        return answer.json() if answer.content else None

    def ping(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.project.owner.token}"}
        return self.asked(method, f"/statuspage-cmd/v1/{path}", headers, body)

    def read(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.project.owner.token}"}
        return self.asked("GET", f"/statuspage-query/v1/{path}", headers)

    def pong(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.project.token}"}
        return self.asked(method, f"/rest/v1/{path}", headers, body)

    def checks(self, method: str, path: str, body: Any = None) -> Any:
        return self.asked(method, f"/api/v3/{path}", {"X-Api-Key": self.checks_key}, body)

    def public(self, path: str = "") -> str:
        answer = self.http.get(f"/status/{self.project.page['subdomain']}{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    # What there is.

    def component(self, pick: int) -> str:
        return [*self.page.components][pick % len(self.page.components)]

    def incident(self, pick: int) -> tuple[str, Incident]:
        return [*self.page.incidents.items()][pick % len(self.page.incidents)]

    def affected(self, status: str, pick: int) -> Affected:
        """None, one or two components of the page."""
        ids = [*self.page.components]
        return [(id_, status) for id_ in dict.fromkeys(ids[pick % (len(ids) + 1) :][: pick % 3])]

    def arrange(self) -> None:
        """The page's components as the model has them, by PingHome."""
        self.ping("PUT", self.url, {"components": self.arranged()})

    def arranged(self) -> list[dict[str, Any]]:
        return [self.body(each) | {"id": id_} for id_, each in self.page.components.items()]

    def body(self, it: Component) -> dict[str, Any]:
        follows = {"type": "heartbeat", "resource_id": self.made["uuid"]} if it.follows else {"type": "manual"}
        return {"name": it.name, "status": it.status, "showcased": it.showcased} | follows

    def put(self, it: Component) -> None:
        """A new component, by PingHome."""
        made = self.ping("PUT", self.url, {"components": [*self.arranged(), self.body(it)]})
        self.page.components[made["statuspage"]["components"][-1]["id"]] = it

    # What people do.

    @rule(dialect=DIALECT, status=STATUS, showcased=st.booleans())
    def add_component(self, dialect: str, status: str, showcased: bool) -> None:
        self.add(dialect, status, showcased=showcased)

    def add(self, dialect: str, status: str, *, showcased: bool) -> None:
        it = Component(f"c{len(self.page.components)}", status, showcased)
        if dialect == "pong":
            made = self.pong("POST", "components", {"name": it.name, "status": PONG[status], "showcased": showcased})
            self.page.components[ours(made)] = it
        else:
            self.put(it)

    @rule(dialect=DIALECT, pick=PICK, status=STATUS, showcased=st.booleans())
    def change_component(self, dialect: str, pick: int, status: str, showcased: bool) -> None:
        id_ = self.component(pick)
        it = self.page.components[id_]
        it.status, it.showcased = status, showcased
        if dialect == "ping":
            self.arrange()
        elif pick % 2:
            self.pong("PATCH", f"components/{short(UUID(id_))}", {"status": PONG[status], "showcased": showcased})
        else:
            self.pong("PUT", f"components/{short(UUID(id_))}", {"showcased": showcased})
            answer = self.pong("PUT", f"components/{short(UUID(id_))}/status", {"status": PONG[status].upper()})
            assert answer["status"] == PONG[self.page.status(id_)]

    @rule(exit_status=st.integers(0, 2))
    def check(self, exit_status: int) -> None:
        """The job of the check ends, well with 0."""
        path = httpx.URL(self.made["ping_url"]).path
        assert self.http.get(f"{path}/{exit_status}").status_code == 200
        self.page.check = "down" if exit_status else "up"

    @rule(pick=PICK)
    def remove_component(self, pick: int) -> None:
        if len(self.page.components) > 1:
            self.page.remove(self.component(pick))
            self.arrange()

    @rule(dialect=DIALECT, status=STATUS, pick=PICK)
    def open_incident(self, dialect: str, status: str, pick: int) -> None:
        self.open(dialect, status, pick)

    def open(self, dialect: str, status: str, pick: int) -> None:
        affected = self.affected(status, pick)
        if dialect == "ping":
            body = {"title": "Ping", "components": [{"id": id_, "status": each} for id_, each in affected]}
            id_ = self.ping("POST", f"{self.url}/incident", body)["id"]
        else:
            given = [{"id": short(UUID(id_)), "status": PONG[each]} for id_, each in affected]
            id_ = ours(self.pong("POST", "incidents", {"title": "Pong", "affected_components": given}))
        self.page.incidents[id_] = Incident([*affected], [*affected])

    @rule(dialect=DIALECT, pick=PICK, status=st.sampled_from([*PROGRESS]))
    def write_update(self, dialect: str, pick: int, status: str) -> None:
        self.write(dialect, pick, status)

    def write(self, dialect: str, pick: int, status: str) -> None:
        id_, it = self.incident(pick)
        if dialect == "ping":
            made = self.ping("POST", f"{self.url}/incident/{id_}/update", {"status": status, "message": "x"})["id"]
        else:
            body = {"status": PROGRESS[status], "message": "x"}
            made = ours(self.pong("POST", f"incidents/{short(UUID(id_))}/updates", body))
        it.updates.append(Update(made, status, [one for one in it.components if one[0] in self.page.components]))
        it.settle(self.page.components)

    @rule(dialect=DIALECT, pick=PICK, status=STATUS, at=PICK)
    def change_affected(self, dialect: str, pick: int, status: str, at: int) -> None:
        id_, it = self.incident(pick)
        affected = self.affected(status, at)
        if dialect == "ping":
            body: dict[str, Any] = {"components": [{"id": each, "status": word} for each, word in affected]}
            self.ping("PUT", f"{self.url}/incident/{id_}", body)
        else:
            given = [{"id": short(UUID(each)), "status": PONG[word]} for each, word in affected]
            self.pong("PATCH", f"incidents/{short(UUID(id_))}", {"affected_components": given})
        if affected != it.components:
            it.updates.append(Update("", it.status, affected, silent=True))
            it.settle(self.page.components)

    @rule(dialect=DIALECT, pick=PICK, which=PICK, status=st.sampled_from([*PROGRESS, ""]))
    def change_update(self, dialect: str, pick: int, which: int, status: str) -> None:
        """Gives one of an incident's updates another status, or deletes it."""
        id_, it = self.incident(pick)
        if not it.said:
            return
        update = it.said[which % len(it.said)]
        path = f"{self.url}/incident/{id_}/update/{update.id}"
        theirs = f"incidents/{short(UUID(id_))}/updates/{short(UUID(update.id))}"
        if not status:
            self.ping("DELETE", path) if dialect == "ping" else self.pong("DELETE", theirs)
            it.updates.remove(update)
        elif dialect == "ping":
            self.ping("PUT", path, {"status": status})
        else:
            self.pong("PATCH", theirs, {"status": PROGRESS[status]})
        update.status = status or update.status
        it.settle(self.page.components)

    @rule(pick=PICK)
    def delete_incident(self, pick: int) -> None:
        if len(self.page.incidents) > 1:
            id_, _ = self.incident(pick)
            self.ping("DELETE", f"{self.url}/incident/{id_}")
            del self.page.incidents[id_]

    @rule(dialect=DIALECT, pick=PICK)
    def begin_maintenance(self, dialect: str, pick: int) -> None:
        components = [id_ for id_, _ in self.affected("", pick)]
        begins, ends = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
        times = {"scheduled_for": begins.isoformat(), "ends_at": ends.isoformat()}
        if dialect == "ping":
            body = {"title": "Ping", "components": components, **times}
            id_ = self.ping("POST", f"{self.url}/maintenance", body)["id"]
        else:
            affected = [short(UUID(each)) for each in components]
            id_ = ours(self.pong("POST", "maintenance", {"title": "Pong", "affected_components": affected, **times}))
        self.page.maintenances[id_] = components

    @rule(pick=PICK)
    def end_maintenance(self, pick: int) -> None:
        if self.page.maintenances:
            id_ = [*self.page.maintenances][pick % len(self.page.maintenances)]
            self.ping("POST", f"{self.url}/maintenance/{id_}/end")
            self.page.over[id_] = self.page.maintenances.pop(id_)

    # What is then to be seen.

    @invariant()
    def every_view_is_as_the_model_says(self) -> None:
        deadline = time.monotonic() + PATIENCE
        expected = self.expected()
        while (seen := self.seen()) != expected:
            differ = {name: (seen[name], expected[name]) for name in expected if seen[name] != expected[name]}
            assert time.monotonic() < deadline, differ
            time.sleep(0.1)

    def expected(self) -> dict[str, Any]:
        page = self.page
        statuses = {id_: page.status(id_) for id_ in page.components}
        told = {id_ for id_ in (*page.incidents, *page.maintenances, *page.over) if page.told(id_)}
        shown, banner = page.shown(), page.indicator()
        return {
            "check": page.check,
            "ping components": statuses,
            "pong components": {id_: PONG[status] for id_, status in statuses.items()},
            "pong status": page.overall(),
            "shields": SHIELDS[page.overall()],
            "ping incidents": {
                id_: (each.status, [one for one in each.components if one[0] in page.components])
                for id_, each in page.incidents.items()
            },
            "pong incidents": {
                id_: (
                    PROGRESS[each.status] if each.said else "In progress",
                    [PROGRESS[update.status] for update in each.said],
                    sorted(component for component, _ in each.components if component in page.components),
                )
                for id_, each in page.incidents.items()
            },
            "ongoing": {id_ for id_, each in page.incidents.items() if each.is_open},
            "live": (page.open(), page.running()),
            "summary": (
                {id_: ATLASSIAN[status] for id_, status in shown.items()}, page.open(), page.running(), BANNERS[banner],
            ),
            "feed": told,
            "page": ({*shown}, page.open(), page.running(), banner),
            "badge": True,
        }  # fmt: skip

    def seen(self) -> dict[str, Any]:
        live, summary, html = self.pong("GET", "live"), self.asked("GET", self.json("summary"), {}), self.public()
        title = re.search('<h1 id="overall">(.*?)</h1>', html)
        assert title
        shields = self.http.get(f"/widget/shields/status/{self.project.page['shields_key']}").json()
        rows = self.read(f"{self.url}/incidents?limit=500")["data"]
        return {
            "check": self.checks("GET", f"checks/{self.made['uuid']}")["status"],
            "ping components": {each["id"]: each["status"] for each in self.read(f"{self.url}/components")["data"]},
            "pong components": {ours(each): each["status"] for each in self.pong("GET", "components")},
            "pong status": self.pong("GET", "status")["status"],
            "shields": shields["status"],
            "ping incidents": {
                each["id"]: (
                    each["status"],
                    [(one["id"], one["status"]) for one in each["components"] if one["id"] in self.page.components],
                )
                for each in rows
            },
            "pong incidents": {
                ours(each): (
                    each["status"],
                    [update["status"] for update in each["updates"]],
                    sorted(ours(component) for component in each["affected_components"]),
                )
                for each in self.pong("GET", "incidents")
            },
            "ongoing": {ours(each) for each in self.pong("GET", "incidents/ongoing")},
            "live": tuple({ours(each) for each in live[noun]} for noun in ("incidents", "maintenance")),
            "summary": (
                {each["id"]: each["status"] for each in summary["components"]},
                {each["id"] for each in summary["incidents"]},
                {each["id"] for each in summary["scheduled_maintenances"]},
                summary["status"]["description"],
            ),
            "feed": {each["id"].removeprefix("urn:uuid:") for each in self.asked("GET", self.feed(), {})["items"]},
            "page": (
                *({*re.findall(f'id="{letter}-([0-9a-f-]+)"', html)} for letter in "cim"),
                re.search(r'class="banner (\w+)"', html)[1],  # type: ignore[index]
            ),
            "badge": title[1].replace("&#39;", "'") in self.public("/badge.svg"),
        }

    def json(self, name: str) -> str:
        return f"/status/{self.project.page['subdomain']}/api/v2/{name}.json"

    def feed(self) -> str:
        return f"/status/{self.project.page['subdomain']}/feed.json"


@pytest.mark.timeout(600)  # 20 s where nothing else runs
async def test_all_dialects_and_views_agree_whatever_is_done(empty: Project, quiet_keys: dict[str, Any]):
    steps = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
        suppress_health_check=[*HealthCheck], phases=[Phase.generate],  # each view that disagrees is waited for
    )  # fmt: skip
    with httpx.Client(base_url=empty.http.base_url, timeout=60, trust_env=False) as http:
        machine = type(
            "OfThisPage", (Machine,), {"project": empty, "http": http, "checks_key": quiet_keys["checks_key"]}
        )
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=steps)
