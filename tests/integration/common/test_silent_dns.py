"""A server is gone, and with it its name, while the DNS is silent: whoever tries to reach it holds up nobody."""

# ruff: noqa: S603  # our own

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACES = ("unshare", "-mn") if os.geteuid() == 0 else ("unshare", "-rmn")

INSIDE = """
set -e
ip link set lo up
mount --bind resolv.conf /etc/resolv.conf
mount --bind hosts /etc/hosts
exec "$0" inside.py
"""

PROGRAM = """
import asyncio, os, socket
import uvloop
from pinghome_common.db import Database

async def main():
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 53))  # it never answers
    async with Database("postgresql://a:b@there.test:1,gone.test:1/c?target_session_attrs=primary") as db:
        await asyncio.gather(*(db.ready() for _ in range(40)))
    async with asyncio.timeout(20):
        await asyncio.get_running_loop().getaddrinfo("there.test", None)
    os._exit(0)  # look-ups are not waited for

uvloop.run(main())
"""


@pytest.mark.timeout(300)
def test_look_ups_of_a_server_that_is_gone_do_not_pile_up(tmp_path: Path):
    if subprocess.run([*NAMESPACES, "true"], check=False, capture_output=True).returncode:
        pytest.skip("namespaces are not allowed here")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:10 attempts:2\n")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost there.test\n")
    (tmp_path / "inside.py").write_text(PROGRAM)
    command = [*NAMESPACES, "sh", "-c", INSIDE, sys.executable]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
