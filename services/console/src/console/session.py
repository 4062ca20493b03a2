"""A viewer's session: a sealed cookie, which holds the session key that the viewer has signed in for."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

COOKIE = "pinghome_console"
IDLE = 12 * 3600
"""Seconds after the last use after which a session ends."""
LONGEST = 7 * 86_400
"""Seconds after which it ends in any case; its key lives as long."""
RENEWED = 600
"""Seconds after which a session that is used is sealed anew."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie holds.

    Attributes:
        token: the session key; empty for somebody who has not signed in.
        secret: of the forms of this session.
        since: when it began, in UNIX seconds.
        language: `auto` or a code.
        theme: `auto`, `light` or `dark`.
    """

    token: str = ""
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    since: float = field(default_factory=time.time)
    language: str = "auto"
    theme: str = "auto"

    def signed_in(self, token: str) -> "Session":
        """A new session, with nothing of this one but how it looks: whoever planted this one knows nothing of it."""
        return Session(token=token, language=self.language, theme=self.theme)

    def signed_out(self) -> "Session":
        """The same for nobody."""
        return self.signed_in("")

    def form_token(self) -> str:
        """A token for one form; each is different, so that its compressed size says nothing."""
        nonce = secrets.token_hex(8)
        return f"{nonce}.{self._signed(nonce)}"

    def knows(self, form_token: str) -> bool:
        """Whether a token is of a form of this session."""
        nonce, _, signed = form_token.partition(".")
        return hmac.compare_digest(signed.encode(), self._signed(nonce).encode())

    def _signed(self, nonce: str) -> str:
        return hmac.digest(self.secret.encode(), nonce.encode(), sha256).hex()


class Seal:
    """Seals sessions into cookies, and opens them.

    Args:
        secrets_: comma-separated, the newest first; cookies of the others are still opened.
    """

    def __init__(self, secrets_: str) -> None:
        keys = [each.strip() for each in secrets_.split(",") if each.strip()]
        hashed = [urlsafe_b64encode(sha256(each.encode()).digest()) for each in keys]
        self._fernet = MultiFernet([Fernet(each) for each in hashed])

    def seal(self, session: Session) -> str:
        """The cookie's value."""
        return self._fernet.encrypt(msgspec.json.encode(session)).decode()

    def open(self, value: str) -> tuple[Session, bool]:
        """The session of a cookie, and whether it is to be sealed anew; a new one where it has ended, or is none."""
        try:
            session = msgspec.json.decode(self._fernet.decrypt(value.encode(), ttl=IDLE), type=Session)
            age = time.time() - self._fernet.extract_timestamp(value.encode())
        except (InvalidToken, msgspec.MsgspecError):
            return Session(), True
        if session.token and time.time() - session.since > LONGEST:
            return session.signed_out(), True
        return session, age > RENEWED


def with_choice(session: Session, language: str, theme: str) -> Session:
    """The session with other choices of how it looks."""
    return replace(session, language=language, theme=theme)
