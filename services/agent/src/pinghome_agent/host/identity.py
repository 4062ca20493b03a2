"""What sends the samples: the agent and its host. It names nobody: a server is known by its token alone."""

import platform
import shlex
import socket
from contextlib import suppress
from pathlib import Path

import psutil

from pinghome_agent import VERSION
from pinghome_agent.clock import rfc3339
from pinghome_agent.host.memory import of_container
from pinghome_agent.host.mount_table import mounts
from pinghome_agent.text import clean


def identity(proc: Path, root: Path = Path("/")) -> dict[str, str]:
    """The agent's version, hostname, operating system and boot time; `os` says whose figures a container shows."""
    about = {"version": VERSION, "hostname": clean(socket.gethostname()), "os": clean(_os(proc, root))}
    with suppress(OSError, RuntimeError, ValueError):
        about["boot_time"] = rfc3339(psutil.boot_time())
    return about


def _os(proc: Path, root: Path) -> str:
    name = f"{_distribution(root)}, Linux {platform.release()}"
    kind = container(proc, root)
    if not kind:
        return name
    return f"{name}, in a container ({kind}), figures of {'the container' if of_container(proc) else 'its host'}"


def container(proc: Path, root: Path = Path("/")) -> str:
    """The kind of container that this runs in, such as docker or lxc; empty on a host of its own.

    A host may have the signs, too: one that was made from a container's image has its files.
    """
    if _has_kernel_threads(proc) and any(it.point == "/" and it.local for it in mounts(proc)):
        return ""
    with suppress(OSError):
        if told := (root / "run/systemd/container").read_text().strip():
            return told
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    with suppress(OSError):
        groups = (proc / "1/cgroup").read_text()
        for sign, kind in (("kubepods", "kubernetes"), ("docker", "docker"), ("lxc", "lxc")):
            if sign in groups:
                return kind
    return "lxc" if of_container(proc) else ""


def _has_kernel_threads(proc: Path) -> bool:
    with suppress(OSError):
        return b"(kthreadd)" in (proc / "2/stat").read_bytes()
    return False


def _distribution(root: Path) -> str:
    with suppress(OSError, ValueError):
        for line in (root / "etc/os-release").read_text(errors="replace").splitlines():
            if line.startswith("PRETTY_NAME="):
                return " ".join(shlex.split(line.removeprefix("PRETTY_NAME=")))
    return "Linux"
