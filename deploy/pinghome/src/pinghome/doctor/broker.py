"""NATS: the streams with their settings, how full they are, and how far behind the projections are."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import asyncpg

from pinghome.doctor.finding import Finding, ok, problem, warning
from pinghome_common.errors import Unavailable
from pinghome_common.events import followed
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from resource_cmd.delivery import mutes, pages
from resource_cmd.evaluation.telemetry import KINDS as JUDGED
from resource_cmd.monitors import adopted
from resource_cmd.scheduling.streams import STREAMS
from resource_query.project import KINDS as SHOWN
from resource_query.project import NOUNS as RECORDS
from statistic_query.notifications import NOUNS as TOLD
from statistic_query.project import NOUNS as COUNTED
from statuspage_cmd.streams import STREAMS as STATUS_STREAMS
from statuspage_query.project import NOUNS as PAGES

SECONDS = 5.0
"""In which the broker must accept a connection."""

OLDEST = (2, 12)
"""The first version with schedules and asynchronous streams."""

FULL, NEARLY = 0.95, 0.8
"""Of its limit, how much of a stream or store is used."""

BEHIND, FAR_BEHIND = 10.0, 60.0
"""Seconds for which a message has not been applied."""

READS: dict[str, dict[str, tuple[str, Iterable[str]]]] = {
    "resource_cmd": {
        "TELEMETRY": ("telemetry", JUDGED),
        "STATUS_EVENTS": ("status", (*pages.NOUNS, *mutes.NOUNS, *adopted.NOUNS)),
    },
    "resource_query": {"EVENTS": ("events", RECORDS), "TELEMETRY": ("telemetry", SHOWN)},
    "statistic_query": {
        "EVENTS": ("events", COUNTED),
        "STATUS_EVENTS": ("status", TOLD),
        "TELEMETRY": ("telemetry", ("ping", "result", "metric")),
    },
    "statuspage_cmd": {"EVENTS": ("events", followed.NOUNS)},
    "statuspage_query": {
        "EVENTS": ("events", followed.NOUNS),
        "STATUS_EVENTS": ("status", PAGES),
        "TELEMETRY": ("telemetry", ("result", "point")),
    },
}
"""What each service projects: stream, first part of the subjects, second parts."""


async def look(settings: Settings) -> AsyncIterator[Finding]:
    """The broker itself first; without it nothing else can be asked."""
    try:
        async with Broker(settings.nats_url, "doctor", settings.nats_ca) as broker:
            await broker.until_connected(SECONDS)
            found = broker.client.connected_server_version
            said = f"version {found.major}.{found.minor}.{found.patch}"
            if (found.major, found.minor) < OLDEST:
                needed = ".".join(map(str, OLDEST))
                yield problem("nats", f"{said} has no schedules", f"Upgrade it to {needed} or newer.")
            else:
                yield ok("nats", said)
            async for finding in _store(broker):
                yield finding
            expected: dict[str, Mapping[str, object]] = {**STREAMS, **STATUS_STREAMS}
            infos = {name: await broker.api(f"STREAM.INFO.{name}") for name in expected}
            for name, wanted in expected.items():
                yield _stream(name, infos[name], wanted)
            there = [name for name, info in infos.items() if "error" not in info]
            async for finding in _lag(settings, broker, there):
                yield finding
    except Unavailable as error:
        do = "Start it, or correct PINGHOME_NATS_URL; of the embedded server see log/nats.log."
        yield problem("nats", f"cannot be asked: {error.message}", do)


async def _store(broker: Broker) -> AsyncIterator[Finding]:
    info = await broker.api("INFO")
    limit, used = info["limits"]["max_storage"], info["storage"]
    if limit > 0 and used > NEARLY * limit:
        yield warning("nats", f"its store is full to {used / limit:.0%}", "Give the account more storage.")


def _stream(name: str, info: dict[str, Any], wanted: Mapping[str, object]) -> Finding:
    part = f"stream {name}"
    if "error" in info:
        do = "The command service that owns it makes it at its next connection to the broker; restart that one."
        return problem(part, f"{info['error'].get('description')}: what is in it, or comes, does not arrive", do)
    config, state = info["config"], info["state"]
    if config["num_replicas"] > 1:
        wanted = {key: value for key, value in wanted.items() if key != "persist_mode"}
    differs = [key for key, value in wanted.items() if config.get(key) != value]
    if differs:
        do = "Restart the command service that owns it, which sets them."
        return problem(part, f"other settings than ours: {', '.join(differs)}", do)
    if info.get("cluster", {}).get("leader", "?") == "":
        return problem(part, "has no leader", "See which nodes of the broker are down.")
    limit, used = config.get("max_bytes", -1), state["bytes"]
    if limit > 0 and used > NEARLY * limit:
        full = problem if used > FULL * limit else warning
        do = "Raise PINGHOME_STREAM_MAX_BYTES, on a disk that has room: once it is full, new data waits in spools."
        return full(part, f"is full to {used / limit:.0%} of its limit", do)
    return ok(part, f"{state['messages']:,} messages, {used >> 20} MiB")


async def _lag(settings: Settings, broker: Broker, there: list[str]) -> AsyncIterator[Finding]:
    for name, streams in READS.items():
        try:
            connection = await asyncpg.connect(settings.database(name), timeout=SECONDS, command_timeout=SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            continue  # which is told of elsewhere
        try:
            if await connection.fetchval("SELECT to_regclass('checkpoint')") is None:
                continue
            positions = dict(await connection.fetch("SELECT stream, seq FROM checkpoint"))
        finally:
            connection.terminate()
        waiting = {
            stream: age
            for stream, (prefix, nouns) in streams.items()
            if stream in there
            and (age := await _oldest(broker, stream, positions.get(stream, 0), subjects(prefix, nouns))) > BEHIND
        }
        for stream, age in waiting.items():
            late = problem if age > FAR_BEHIND else warning
            do = "See whether its service is running and ready, and the load and disk of its PostgreSQL."
            yield late(name, f"has not applied a message of {stream} for {age:.0f} s", do)
        if not waiting:
            yield ok(name, "has applied what is in the streams")


def subjects(prefix: str, nouns: Iterable[str]) -> Iterator[str]:
    """What a service reads of a stream."""
    return (f"{prefix}.{noun}.>" for noun in nouns)


async def _oldest(broker: Broker, stream: str, after: int, of: Iterator[str]) -> float:
    """Seconds since the first message on some subjects after a sequence; 0 if there is none."""
    age = 0.0
    for subject in of:
        found = await broker.api(f"STREAM.MSG.GET.{stream}", {"seq": after + 1, "next_by_subj": subject})
        if "error" not in found:
            age = max(age, time.time() - datetime.fromisoformat(found["message"]["time"]).timestamp())
    return age
