"""The two load generators: wrk for the highest rates, `asker.py` where each answer counts."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Load:
    """Answers per second, and milliseconds to an answer."""

    rate: float
    p50: float
    p99: float


async def wrk(
    port: int,
    paths: Sequence[str],
    seconds: int = 4,
    connections: int = 64,
    rate: float = 0,
    headers: Mapping[str, str] | None = None,
) -> Load:
    """GET `paths` in turn, or POST where a space and a body follow, at most `rate` a second (0: as fast as it goes).

    RuntimeError when an answer is not 2xx or 3xx, or does not come.
    """
    with NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(paths))
        file.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "wrk.lua"), f"http://127.0.0.1:{port}"]
        options[:0] = [f"-H{name}: {value}" for name, value in (headers or {}).items()]
        said = await told("wrk", *options, "--", file.name, f"{rate:.0f}")
    found = json.loads(said.rpartition("\n{")[2].join(["{", ""]))
    if found["failed"]:
        raise RuntimeError(f"{found['failed']} of {found['answers']} requests failed")
    return Load(found["answers"] / found["seconds"], found["p50"], found["p99"])


async def ask(
    port: int,
    method: str,
    path: str,
    body: str = "",
    headers: dict[str, str] | None = None,
    *,
    in_flight: int = 24,
    seconds: float = 4,
    most: int = 0,
    status: str = "2",
) -> tuple[Load, list[Any]]:
    """Send one request after another on each of `in_flight` connections, `{n}` in path and body being a number.

    It ends after `seconds`, or about `most` answers when that is not 0. Returns the load and the documents answered;
    RuntimeError when an answer's status does not begin with `status`.
    """
    wish: dict[str, Any] = {"port": port, "method": method, "path": path, "body": body, "headers": headers or {}}
    wish |= {"in_flight": in_flight, "seconds": seconds, "most": most, "status": status}
    said = await told(sys.executable, str(HERE / "asker.py"), json.dumps(wish))
    found = json.loads(said)
    return Load(found["rate"], found["p50"], found["p99"]), found["documents"]


async def told(*command: str, env: Mapping[str, str] | None = None) -> str:
    """What a program wrote; RuntimeError when it failed."""
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {err.decode()[-2000:]}{out.decode()[-2000:]}")
    return out.decode()
