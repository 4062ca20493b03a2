"""The load of status pages, and what was answered to it."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from commands import Client
from event_log import EventLog
from under_test import Platform
from verdict import Verdict
from wire import LostError, NotSentError


@dataclass(frozen=True)
class Answered:
    """A command that was answered 2xx: its request's id, and what it made, changed or deleted."""

    request: str
    id: UUID
    deleted: bool


@dataclass
class Publications:
    """What all publishers were answered."""

    done: list[Answered] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    """0: no answer, so nobody knows whether it took effect."""
    refused: list[str] = field(default_factory=list)


class Publisher:
    """Opens, updates, edits and deletes incidents and maintenance of one page, one command after another."""

    def __init__(
        self, platform: Platform, publications: Publications, page: dict[str, Any], rng: Random, pause: float
    ) -> None:
        self._client = Client(platform, "statuspage-cmd")
        self._found, self._rng, self._pause = publications, rng, pause
        self._page = f"/v1/statuspage/{page['id']}"
        self._components = [component["id"] for component in page["components"]]
        self._own: list[str] = []
        """Paths of what is there."""

    async def publish(self, going: asyncio.Event) -> None:
        """Publishes until `going` is set, at most `pause` seconds apart."""
        while not going.is_set():
            incidents = [path for path in self._own if path.count("/") == 5 and "/incident/" in path]
            dice = self._rng.random()
            if dice < 0.25 or not incidents:
                affected = [{"id": id_, "status": "degraded"} for id_ in self._components if self._rng.random() < 0.5]
                await self._ask("POST", f"{self._page}/incident", {"title": "It fails", "components": affected})
            elif dice < 0.55:
                status = self._rng.choice(("investigating", "identified", "monitoring", "resolved"))
                await self._ask("POST", f"{self._rng.choice(incidents)}/update", {"status": status})
            elif dice < 0.7:
                times = {"scheduled_for": "2100-01-01T00:00:00Z", "duration": 60}
                await self._ask("POST", f"{self._page}/maintenance", {"title": "Upgrade"} | times)
            elif dice < 0.9:
                path = self._rng.choice(self._own)
                await self._ask("PUT", path, {"message" if "/update/" in path else "title": f"{dice}"})
            else:
                await self._ask("DELETE", self._rng.choice(self._own), None)
            await asyncio.sleep(self._rng.uniform(0, self._pause))
        self._client.close()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        if method == "DELETE":  # whatever the answer: nobody knows whether it lives
            self._own = [own for own in self._own if own != path and not own.startswith(f"{path}/")]
        try:
            answer = await self._client.ask(method, path, body)
        except NotSentError:
            await asyncio.sleep(0.05)
            return
        except LostError:
            self._found.statuses[0] += 1
            return
        self._found.statuses[answer.status] += 1
        if answer.status >= 300:
            if answer.status < 500:
                self._found.refused.append(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
            return
        document = answer.document
        made = document["id"] if method == "DELETE" else document[path.split("/")[-1 if method == "POST" else -2]]["id"]
        self._found.done.append(Answered(answer.headers["x-request-id"], UUID(made), method == "DELETE"))
        if method == "POST":
            self._own.append(f"{path}/{made}")


def judge_publications(found: Publications, log: EventLog, verdict: Verdict) -> None:
    """I1: every 2xx is an event of what it names."""
    events = {(it.request, id_): it.event for id_, logged in log.of.items() for it in logged}
    missing = []
    for it in found.done:
        event = events.get((it.request, it.id))
        if event is None or event.deleted != it.deleted:
            missing.append(it)
    verdict.none("publications answered 2xx that are not in the log", missing)
    verdict.none("publications refused", found.refused)
    verdict.none("answers 500", found.statuses[500])
