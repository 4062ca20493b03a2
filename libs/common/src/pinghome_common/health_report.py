"""What a process says of its health when it is asked over the broker (contract K)."""

import asyncio
import os
import shutil
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI

from pinghome_common.logs import error_text
from pinghome_common.projection import LAG
from pinghome_common.stream import Broker

CHECK_WITHIN = 1.0
"""Seconds in which a part has to say that it is ready."""


class HealthReport(msgspec.Struct):
    """One process of a service: what is not ready and why, messages not yet applied by stream, bytes of its disk."""

    service: str
    process: str
    version: str
    problems: dict[str, str]
    lag: dict[str, int]
    disk_free: int
    disk_total: int


async def report(application: FastAPI) -> HealthReport:
    """What this process says of itself now."""
    state = application.state
    parts = [*state.checks]
    found = await asyncio.gather(*(_problem(state.checks[part]) for part in parts))
    free, total = _disk(state.settings.data)
    return HealthReport(
        service=state.name,
        process=f"{socket.gethostname()}:{os.getpid()}",
        version=version("pinghome-common"),
        problems={part: problem for part, problem in zip(parts, found, strict=True) if problem},
        lag={
            sample.labels["stream"]: int(sample.value)
            for metric in LAG.collect()
            for sample in metric.samples
            if sample.labels["projection"] == state.name
        },
        disk_free=free,
        disk_total=total,
    )


async def answer_health(broker: Broker, application: FastAPI) -> None:
    """Has this process answer who asks after the health of its service; each process answers."""

    async def answer(_: bytes) -> bytes:
        return encode(await report(application))

    await broker.serve(f"health.{application.state.name}", "", answer)


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(HealthReport).decode


async def _problem(check: Any) -> str | None:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            found: str | None = await check()
            return found
    except TimeoutError:
        return "it does not answer"
    except Exception as error:  # noqa: BLE001
        return error_text(error)


def _disk(folder: Path) -> tuple[int, int]:
    """Free and all bytes of the disk of a folder; zeros while it does not exist."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return 0, 0
    return disk.free, disk.total
