"""The programs that rows need from Debian: installed when they are missing, or a sentence that says which."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

PACKAGES = {
    "chromium-headless-shell": "chromium-headless-shell",
    "wrk": "wrk",
    "nginx": "nginx-light",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "promtool": "prometheus",
    "caddy": "caddy",
}
"""Program → package. Debian's packages of servers start them, too: on their own ports, which no row uses."""

APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]


def provide(programs: Iterable[str]) -> None:
    """Install what is missing; SystemExit with the command to give when we may not or cannot."""
    packages = [PACKAGES[program] for program in sorted(set(programs)) if not shutil.which(program)]
    if not packages:
        return
    install = [*APT, "install", "--yes", "--no-install-recommends", *packages]
    by_hand = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"The rows asked for need programs that are not here; please run as root: {by_hand}")
    print(f"installing {' '.join(packages)} from Debian", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*APT, "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            sys.exit(f"This did not work, please do it by hand: {by_hand}\n{(done.stdout + done.stderr)[-2000:]}")
