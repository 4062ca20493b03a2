"""The log of record as the oracle reads it: every event, and the states that they add up to."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from under_test import Platform

from pinghome_common.events import Envelope, decode


@dataclass
class Logged:
    """One row of the table `events`."""

    number: int
    body: bytes
    event: Envelope
    request: str

    @property
    def state(self) -> Any:
        """The aggregate after it."""
        return json.loads(bytes(self.event.data))


@dataclass
class EventLog:
    """All events, by aggregate in the order of their versions."""

    all: dict[UUID, Logged] = field(default_factory=dict)
    """By event id."""
    of: dict[UUID, list[Logged]] = field(default_factory=lambda: defaultdict(list))

    def last(self, noun: str) -> dict[UUID, Logged]:
        """The last event of every aggregate of a noun that was not deleted: what a read model must hold."""
        newest = {id_: logged[-1] for id_, logged in self.of.items()}
        return {id_: it for id_, it in newest.items() if it.event.noun == noun and not it.event.deleted}


async def read_log(platform: Platform, database: str = "resource_cmd") -> EventLog:
    """Everything in the table of one command service."""
    log = EventLog()
    async with platform.sql(database) as db:
        for row in await db.fetch("SELECT id, event_id, aggregate, body FROM events ORDER BY aggregate, version"):
            it = Logged(row["id"], row["body"], decode(row["body"]), json.loads(row["body"])["correlationid"])
            log.all[row["event_id"]] = it
            log.of[row["aggregate"]].append(it)
    return log
