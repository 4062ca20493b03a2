"""The console as a part of the platform: its settings, how it finds the services, and how browsers find it."""

import os
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from pinghome.addresses import CONSOLE
from pinghome_common.secret import derive
from pinghome_common.setting_files import SECRETS
from pinghome_common.settings import Settings

NAME, FACTORY = CONSOLE, "console.app:create_app"
HTML = "text/html"


def settings_of(settings: Settings) -> Settings:
    """What the console gets to know: of all secrets its own alone."""
    key = settings.console_secret or derive(settings.secret_key, NAME).hex()
    return settings.but(**dict.fromkeys(SECRETS, "") | {"console_secret": key})


def connect(apps: Mapping[str, FastAPI], folder: Path) -> str:
    """The Unix socket by which the console asks for its viewers, each with an address of his own; empty without one.

    It is in the data folder, which is open to this account alone. Its path may be longer than that of a socket may be,
    so it begins at the open folder.
    """
    if NAME not in apps:
        return ""
    path = f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_CLOEXEC)}/console.sock"
    apps[NAME].state.socket = path
    return path


def home(scope: Scope, listed: Response, *, console: bool) -> Response:
    """What the platform's own address answers: to browsers the console, to others the list of services."""
    if not console:
        return listed
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    answer = RedirectResponse("/console/", 302) if HTML in accepted else listed
    answer.headers["Vary"] = "Accept"
    return answer
