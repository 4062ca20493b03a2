"""When to remind of what expires; no I/O, the time is an argument."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pinghome_common.errors import Conflict, NotFound
from pinghome_common.events.resource import Resource, certificate_of, domain_of

DAY = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Expiry:
    """Something of a monitor that expires (`kind` is ssl or tld), and the days before on which to say so."""

    kind: str
    what: str
    expires_at: datetime
    days_before: list[int]

    @property
    def begins(self) -> datetime:
        """When the first reminder is due."""
        return self.expires_at - max(self.days_before) * DAY


def with_reminder(it: Resource, kind: str, days_before: list[int], now: datetime, *, first: bool) -> Resource:
    """The monitor with a reminder, or without one when there are no days; one must be there unless it is the `first`.

    Raises:
        Conflict: there is one already.
        NotFound: there is none.
    """
    field = f"{kind}_reminder"
    present = bool(getattr(it, field))
    if first and present:
        raise Conflict(f"The monitor has a reminder for {kind} already; PUT changes it")
    if not first and not present:
        raise NotFound("Reminder not found")
    changes: dict[str, Any] = {field: sorted(days_before), "updated_at": now}
    return replace(it, **changes)


def expiries(it: Resource) -> list[Expiry]:
    """What a monitor is reminded of; nothing while it is paused, for then nobody looks whether it was renewed."""
    found = []
    certificate, domain = certificate_of(it), domain_of(it)
    if it.enabled and it.ssl_reminder and certificate:
        what = f"The certificate of {certificate.host}"
        found.append(Expiry(kind="ssl", what=what, expires_at=certificate.valid_to, days_before=it.ssl_reminder))
    if it.enabled and it.tld_reminder and domain and domain.expires_at:
        what = f"The domain {domain.name}"
        found.append(Expiry(kind="tld", what=what, expires_at=domain.expires_at, days_before=it.tld_reminder))
    return found


def due(days_before: Sequence[int], expires_at: datetime, fired: Iterable[int], now: datetime) -> int | None:
    """The day whose reminder is to be sent now; None when there is none.

    Of several days that have passed unnoticed only the nearest counts, and none counts after a nearer one was sent.

    Args:
        days_before: days before `expires_at`, in any order.
        expires_at: of the certificate or domain as it is now; a renewed one starts anew.
        fired: days whose reminders were sent for this very expiry.
        now: the present.
    """
    passed = [days for days in days_before if now >= expires_at - days * DAY]
    nearest = min(passed, default=None)
    if nearest is None or any(days <= nearest for days in fired):
        return None
    return nearest


def next_look(some: Iterable[Expiry], now: datetime) -> datetime | None:
    """When the next reminder of some expiries is due, after those that are due by now; None when there is no more."""
    moments = (expiry.expires_at - days * DAY for expiry in some for days in expiry.days_before)
    return min((moment for moment in moments if moment > now), default=None)


def sentence(what: str, expires_at: datetime, now: datetime) -> str:
    """`<what> expires in 3 days`, for the title of a notice."""
    left = (expires_at - now) // DAY
    if expires_at <= now:
        return f"{what} has expired"
    return f"{what} expires in {left} days" if left > 1 else f"{what} expires in {'one day' if left else 'hours'}"
