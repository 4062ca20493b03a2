"""install.sh against a server that has the agent, or does not (trap 15: an error page was saved and run)."""

# ruff: noqa: S603, S607  # the script is run as an operator runs it

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agents import psutil_wheel

AGENT = Path(__file__).parents[3] / "deploy/agent"
UV = Path(sys.executable).parent / "uv"
WHEEL = "pinghome_agent-0.1.0-py3-none-any.whl"
UNIT = "pinghome-agent.service"


@dataclass
class Site:
    """Answers GET with `files`, bytes or a status, by path; else 404."""

    url: str = ""
    files: dict[str, bytes | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def offer(self, files: dict[str, bytes], below: str = "/data-gateway/agent/") -> None:
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
        self.files |= {below + name: content for name, content in {**files, "SHA256SUMS": sums.encode()}.items()}


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            content = site.files.get(self.path, 404)
            status, body = (content, b"<html>sorry</html>") if isinstance(content, int) else (200, content)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as it:
        yield it


def run(site: Site, prefix: Path, *more: str, script: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Pipes the script into sh, as the platform's line does."""
    pip = {"PIP_INDEX_URL": f"{site.url}/simple/", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    environment = {"PATH": os.environ["PATH"], "HOME": str(prefix.parent), **pip}
    options = ["--url", site.url, "--token", "ph_a-token", "--prefix", str(prefix), *more]
    script = script or (AGENT / "install.sh").read_bytes()
    return subprocess.run(["sh", "-s", "--", *options], input=script, env=environment, capture_output=True, check=False)


def test_it_installs_asks_the_registry_for_psutil_alone_and_says_how_to_start(site, tmp_path):
    subprocess.run([AGENT / "dist.sh", tmp_path / "dist"], env={**os.environ, "UV": str(UV)}, check=True)
    made = {path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir()}
    site.files |= {f"/agent/{name}": content for name, content in made.items()}  # data-gateway by its own host
    wheel = psutil_wheel(tmp_path)
    site.files |= {f"/{wheel.name}": wheel.read_bytes()}
    site.files["/simple/psutil/"] = f'<!DOCTYPE html><html><body><a href="/{wheel.name}">{wheel.name}</a>'.encode()
    done = run(site, tmp_path / "agent", "--interval", "30", script=made["install.sh"])

    assert done.returncode == 0, done.stderr.decode()
    assert {path for path in site.asked if "agent/" not in path} == {"/simple/psutil/", f"/{wheel.name}"}
    token = tmp_path / "agent/token"
    assert (token.read_text(), stat.S_IMODE(token.stat().st_mode)) == ("ph_a-token\n", 0o600)
    start = done.stdout.decode().splitlines()[-1].split()
    assert start[1:] == ["--url", site.url, "--token-file", str(token), "--interval", "30",
                         "--spool", str(tmp_path / "agent/spool")]  # fmt: skip
    assert b"pinghome-agent 0.1.0" in subprocess.run([start[0], "--version"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", ["SHA256SUMS", WHEEL, UNIT])
@pytest.mark.parametrize("instead", [b"<html>Sign in to the hotel's network</html>", b"", 302, 404, 500])
def test_nothing_is_installed_from_an_error_page(site, tmp_path, name, instead):
    site.offer({WHEEL: b"wheel", UNIT: b"unit"})
    site.files[f"/data-gateway/agent/{name}"] = instead
    done = run(site, tmp_path / "agent")

    assert done.returncode == 1
    assert done.stderr.startswith((b"install.sh: ", b"curl: "))
    assert not (tmp_path / "agent").exists()
    assert not [path for path in site.asked if path.startswith(("/simple", "/elsewhere"))]


@pytest.mark.parametrize(
    "name", ["../../evil.whl", "pinghome_agent-1;id-py3-none-any.whl", "psutil-9-py3-none-any.whl"]
)
def test_only_the_agents_own_files_are_fetched(site, tmp_path, name):
    site.offer({name: b"wheel", UNIT: b"unit"})

    assert run(site, tmp_path / "agent").returncode == 1
    assert not (tmp_path / "agent").exists()


@pytest.mark.parametrize(
    "more", [("--token", "a b"), ("--token", "$(id)"), ("--url", "http://x/;id"), ("--url", "file:///etc"),
             ("--interval", "1;id"), ("--interval",), ("--unknown", "x")],
)  # fmt: skip
def test_odd_options_are_refused(site, tmp_path, more):
    done = run(site, tmp_path / "agent", *more)

    assert done.returncode == 1
    assert done.stderr.startswith(b"install.sh: ")
    assert site.asked == []


def test_half_a_script_does_nothing(site, tmp_path):
    script = (AGENT / "install.sh").read_bytes()
    for length in range(1, len(script) - len('main "$@"\n'), 301):
        run(site, tmp_path / "agent", script=script[:length])

    assert site.asked == []
    assert not (tmp_path / "agent").exists()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_the_unit_is_hardened():
    told = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=25", AGENT / UNIT],
                          capture_output=True, check=False)  # fmt: skip

    assert told.returncode == 0, told.stdout.decode()
