"""The console as a part of the platform: its settings, and how browsers find it."""

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


def home(scope: Scope, listed: Response, *, console: bool) -> Response:
    """What the platform's own address answers: to browsers the console, to others the list of services."""
    if not console:
        return listed
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    answer = RedirectResponse("/console/", 302) if HTML in accepted else listed
    answer.headers["Vary"] = "Accept"
    return answer
