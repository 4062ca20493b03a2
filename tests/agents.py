"""A real receiver of batches, and the agent as a process of its own."""

# ruff: noqa: S603  # the agent is run as its operator runs it

import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

TOKEN = "ph_a-token-of-the-tests"


@dataclass
class Request:
    """One request that has arrived whole."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def batch(self) -> dict[str, Any]:
        return json.loads(gzip.decompress(self.body))


@dataclass
class Receiver:
    """Answers each request with `answer(request)`: a status, or a status with headers; keeps what it has accepted."""

    port: int = 0
    answer: Callable[[Request], int | tuple[int, dict[str, str]]] = lambda _: 200
    requests: list[Request] = field(default_factory=list)
    accepted: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def samples(self) -> list[dict[str, Any]]:
        return [sample for request in self.accepted for sample in request.batch["samples"]]

    def times(self) -> list[str]:
        return [sample["at"] for sample in self.samples()]

    def handle(self, request: Request) -> tuple[int, dict[str, str]]:
        self.requests.append(request)
        answer = self.answer(request)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == 200:
            self.accepted.append(request)
        return status, headers


@contextmanager
def receiving(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = it.handle(Request(time.monotonic(), self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in {"Content-Length": "6", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"answer")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.handle_error = lambda *_: None  # agents are killed in the middle of requests
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        it.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does as it likes with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        open_ = True

        def accept() -> None:
            while open_:
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            open_ = False
            thread.join()


@dataclass
class Agent:
    """An agent that runs; `log` is what it has written."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        return self.path.read_text()

    def kept(self) -> list[str]:
        """The times of the samples that it had on disk."""
        return [line.rpartition("at=")[2].strip('"') for line in self.log.splitlines() if " sample_kept " in line]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


# Real but for the pause before the first sample, of which ten kills need ten.
QUICK = "import pinghome_agent.main as main; main.PRIMING = 0.1; main.main()"


@contextmanager
def agent(
    url: str, folder: Path, *options: str, before: tuple[str, ...] = (), code: str = "", interval: float = 0.1
) -> Iterator[Agent]:
    """The agent's process, with its spool in the folder; killed at the end."""
    log = folder / f"agent-{time.monotonic_ns()}.log"
    program = [sys.executable, *(("-c", code) if code else ("-m", "pinghome_agent"))]
    command = [*before, *program, "--url", url, "--token", TOKEN, "--interval", str(interval),
               "--spool", str(folder / "spool"), "--log-level", "debug", *options]  # fmt: skip
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stderr=out, stdout=out, env=cleared)
    it = Agent(process, log)
    try:
        yield it
    finally:
        it.kill()


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Waits for what must become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def psutil_wheel(folder: Path) -> Path:
    """The wheel of which our own psutil was installed."""
    about = next(Path(psutil.__file__).parents[1].glob("psutil-*.dist-info"))
    tag = next(line for line in (about / "WHEEL").read_text().splitlines() if line.startswith("Tag: "))[5:]
    made = folder / f"{about.name.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        for top in (Path(psutil.__file__).parent, about):
            for path in sorted(top.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    wheel.write(path, path.relative_to(top.parent))
    return made
