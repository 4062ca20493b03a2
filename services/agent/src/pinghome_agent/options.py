"""The command line and its environment variables."""

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinghome_agent import VERSION
from pinghome_agent.choice import Choice
from pinghome_agent.logs import LEVELS
from pinghome_agent.post import Url, parsed_url
from pinghome_agent.sample import Choices

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LEAST_SPOOL = 16 << 10


@dataclass(frozen=True)
class Options:
    """How the agent runs; `url` and the token are missing only where nothing is sent."""

    url: Url | None
    token_text: str | None
    token_file: Path | None
    interval: float
    spool: Path
    spool_limit: int
    ca_file: str | None
    choices: Choices
    once: bool
    shown: bool
    log_level: str

    def token(self) -> str:
        """The token of now; OSError or ValueError when its file cannot be read or holds none."""
        text = self.token_file.read_text() if self.token_file else self.token_text or ""
        if not re.fullmatch(r"[!-~]+", text.strip()):
            raise ValueError("the token is empty, or is not one word of ASCII")
        return text.strip()


def parsed(arguments: list[str] | None = None) -> Options:
    """The options of a command line, by default this process's; exits with a message when they do not fit."""
    parser = _parser()
    it = parser.parse_args(arguments)
    if it.shown and not it.once:
        parser.error("--print goes with --once")
    if not it.shown and not it.url:
        parser.error("--url is missing (or PINGHOME_AGENT_URL)")
    token_file = it.token_file or (None if it.token else os.environ.get("PINGHOME_AGENT_TOKEN_FILE"))
    options = Options(
        url=it.url,
        token_text=it.token or os.environ.get("PINGHOME_AGENT_TOKEN"),
        token_file=Path(token_file) if token_file else None,
        interval=it.interval,
        spool=it.spool,
        spool_limit=it.spool_limit,
        ca_file=it.ca_file,
        choices=Choices(
            Choice(_patterns(it.include_mounts), _patterns(it.exclude_mounts)),
            Choice(_patterns(it.include_disks), _patterns(it.exclude_disks)),
            Choice(_patterns(it.include_interfaces), _patterns(it.exclude_interfaces)),
        ),
        once=it.once,
        shown=it.shown,
        log_level=it.log_level,
    )
    if not it.shown:
        try:
            options.token()
        except (OSError, ValueError) as error:
            parser.error(f"--token-file or --token: {error}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pinghome-agent", description="Measure this host and push the figures to Pinghome. It listens to nothing."
    )
    add = parser.add_argument
    environment = os.environ.get
    add("--url", type=_checked(parsed_url), default=environment("PINGHOME_AGENT_URL") or None,
        help="address of the platform or of its data-gateway (PINGHOME_AGENT_URL)")  # fmt: skip
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-file", help="file with the server's token (PINGHOME_AGENT_TOKEN_FILE)")
    token.add_argument("--token", help="the token itself, which others may see in the list of processes; "
                       "better: PINGHOME_AGENT_TOKEN")  # fmt: skip
    add("--interval", type=_checked(_interval), default=environment("PINGHOME_AGENT_INTERVAL") or 10.0,
        help="seconds between samples, 0.1 to 3600; default 10 (PINGHOME_AGENT_INTERVAL)")  # fmt: skip
    add("--spool", type=Path, default=_state_folder(), metavar="DIR", help="what is not sent yet; default %(default)s")
    add("--spool-limit", type=_checked(_size), default="64M", metavar="BYTES",
        help="most that it may hold, such as 64M (the default); then the oldest samples are dropped")  # fmt: skip
    add("--ca-file", help="certificates of authorities to trust besides the system's")
    for what in ("mounts", "disks", "interfaces"):
        add(f"--include-{what}", action="append", default=[], metavar="PATTERNS",
            help=f"{what} to measure although they are left out by default, such as 'a*,b'")  # fmt: skip
        add(f"--exclude-{what}", action="append", default=[], metavar="PATTERNS",
            help=f"{what} to leave out; an include beats it")  # fmt: skip
    add("--once", action="store_true", help="send one sample and end")
    add("--print", action="store_true", dest="shown", help="with --once: show the sample instead of sending it")
    add("--log-level", choices=LEVELS, default="info")
    add("--version", action="version", version=f"pinghome-agent {VERSION}")
    return parser


def _checked(convert: Any) -> Any:
    def checked(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} {error}") from None

    return checked


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("is not a number") from None
    if not 0.1 <= seconds <= 3600:
        raise ValueError("is not between 0.1 and 3600 seconds")
    return seconds


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,12})([kmg]?)(?:i?b)?", text.strip().lower())
    if not found or (size := int(found[1]) * _UNITS[found[2]]) < _LEAST_SPOOL:
        raise ValueError("is not a size of at least 16k, such as 64M")
    return size


def _patterns(given: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for each in given for part in each.split(",") if part.strip())


def _state_folder() -> Path:
    if state := os.environ.get("STATE_DIRECTORY"):  # systemd's
        return Path(state.split(":")[0]) / "spool"
    if os.geteuid() == 0:
        return Path("/var/lib/pinghome-agent/spool")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(home) / "pinghome-agent/spool"
