"""What a channel is given to deliver, and what the kinds of channels have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self
from uuid import UUID

from pinghome_common.events.notification import Notification
from pinghome_common.guard import Guard

if TYPE_CHECKING:
    from pinghome_delivery.mail import Mail
    from pinghome_delivery.rate_limiter import RateLimiter
    from pinghome_delivery.web import Web


class DeliveryError(Exception):
    """It could not be delivered; the text is a sentence for the user, without secrets.

    Args:
        wait: seconds that the receiver asked to be left alone.
    """

    def __init__(self, sentence: str, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one recipient was not told, as a sentence; `final` when there is no use in trying again."""

    sentence: str
    final: bool


class PartlyDelivered(Exception):  # it went well for the others
    """Some recipients were told; the others, by their addresses, were refused."""

    def __init__(self, refused: Mapping[str, Refusal]) -> None:
        super().__init__(f"{len(refused)} recipients were refused")
        self.refused = refused


class RateLimited(Exception):
    """It is not this one's turn for so many seconds; nothing was tried.

    Whoever sends must not wait long for a turn: it would keep others from theirs.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"in {wait:.1f} s")
        self.wait = wait


@dataclass(slots=True, kw_only=True)
class Message:
    """`key` is the idempotency key: the same for every attempt, with the same content."""

    key: UUID
    title: str
    text: str
    notifications: Sequence[Notification]

    @property
    def recipient(self) -> str:
        """The only one to tell, where the others were told before; else empty."""
        return self.notifications[0].recipient

    @property
    def what(self) -> str:
        """What it says: `down`, `up`, … or `digest`."""
        return self.notifications[0].what if len(self.notifications) == 1 else "digest"


@dataclass(slots=True, kw_only=True)
class Transports:
    """What kinds of channels send with; `mail` is None where no mail server is configured."""

    guard: Guard
    web: "Web"
    mail: "Mail | None"
    pace: "RateLimiter"
    statuspage_url: str = ""
    statuspage_token: str = ""
    statuspage_pages: frozenset[str] = frozenset()
    """Pages that may use the token: `page` or `organisation:page`; empty: those of the first organisation."""
    confirmed_domains: frozenset[str] = frozenset()
    """Domains of mail addresses that need no confirmation, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What an organisation may use: `confirmed` are mail addresses in lower case; `first` is the platform's own."""

    organisation: UUID
    confirmed: frozenset[str] = frozenset()
    first: bool = False


class Sender(Protocol):
    """What a message is delivered with."""

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError, PartlyDelivered, or RateLimited when nothing was tried yet."""


class Kind(ABC):
    """One kind of channel: a dataclass of its configuration."""

    limited: ClassVar[bool] = False
    """Whether it depends on what its organisation is allowed and on what the operator has set."""

    @abstractmethod
    async def check(self, transports: Transports) -> None:
        """Raises Invalid, naming the field as `config.<field>`, when it cannot work."""

    @abstractmethod
    def shown(self, mask: str) -> dict[str, str | list[str]]:
        """The configuration as it may be read, with `mask` in place of secrets."""

    def ready(self, transports: Transports, allowed: Allowed) -> Self | None:  # noqa: ARG002  # for those that are limited
        """The part of it that can be delivered with now; None while its deliveries wait."""
        return self

    def problem(self, transports: Transports, allowed: Allowed) -> str:  # noqa: ARG002
        """What the rest waits for, as a sentence for the user; empty when all can be delivered."""
        return ""

    @abstractmethod
    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError, PartlyDelivered, or RateLimited when nothing was tried yet."""
