"""Keeps out what other sites send with a viewer's cookie, and who tries tokens."""

from urllib.parse import urlsplit

from fastapi import Request

from console.session import Session
from pinghome_common.address_counts import AddressCounts

FORM_TOKEN = "form_token"  # noqa: S105  # a field's name
TRIES = 10
"""Wrong tokens and codes of one address in a minute."""


class CrossSite(Exception):
    """A form that was not filled in here."""


def check(request: Request, session: Session, form_token: str) -> None:
    """Lets a form in.

    A browser that obeys our Referrer-Policy says `Origin: null` of an ordinary form; then the token decides, and
    `Sec-Fetch-Site` where the browser sends it, which it does over TLS.

    Raises:
        CrossSite: another site sent it, or it is of another session.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    elsewhere = origin != "null" and urlsplit(origin).netloc != request.headers.get("host", "")
    if site not in ("same-origin", "none") or elsewhere or not session.knows(form_token):
        raise CrossSite


class Tries:
    """Counts wrong tokens by the viewer's address, as the services do, which see the console's."""

    def __init__(self) -> None:
        self._counts = AddressCounts(TRIES, 60)

    def count(self, request: Request) -> bool:
        """Counts a wrong one; whether there were too many. A right one is let in at any time."""
        return self._counts.count(request.scope.get("client")) > 0
