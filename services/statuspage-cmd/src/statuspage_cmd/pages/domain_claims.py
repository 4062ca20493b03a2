"""Claims of organisations to domains: one each, kept from others for 30 days after it is released (S20)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.errors import FieldError, Invalid

DAY = timedelta(days=1)


async def claim(tx: Connection, domain: str, organisation: UUID, now: datetime, most: int) -> bool:
    """Makes a domain an organisation's; False when it is, or was until lately, another one's.

    Raises:
        Invalid: the organisation has claimed `most` others within a day.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", f"domain_claim {organisation}")
    before = await tx.fetchval(_CLAIMED, organisation, domain, now - DAY, most - 1)
    if before:
        said = f"the organisation has claimed {most} domains within a day; it may claim another one"
        raise Invalid(FieldError("domain", f"{said} from {before + DAY:%Y-%m-%d %H:%M:%S} UTC on"))
    return bool(await tx.fetchval(_CLAIM, domain, organisation, now))


async def release(tx: Connection, domain: str, now: datetime) -> None:
    """Begins the time in which only its own organisation may claim a domain again."""
    await tx.execute("UPDATE domain_claim SET released_at = $2 WHERE domain = $1", domain, now)


async def note_verified(tx: Connection, verified: Collection[str], now: datetime) -> None:
    """Releases what its page names but the DNS has not proven for a week, and takes that back where it has again."""
    await tx.execute(_NOTE, list(verified), now)


_CLAIMED = """
SELECT claimed_at FROM domain_claim WHERE organisation = $1 AND domain <> $2 AND claimed_at > $3
ORDER BY claimed_at DESC OFFSET $4 LIMIT 1
"""
_CLAIM = """
INSERT INTO domain_claim AS old (domain, organisation, claimed_at) VALUES ($1, $2, $3)
ON CONFLICT (domain) DO UPDATE SET organisation = $2, claimed_at = $3, released_at = NULL
WHERE old.organisation = $2 OR old.released_at < $3 - interval '30 days' RETURNING true
"""
# statuspage-query calls a domain verified until it has been broken for a week.
_NOTE = """
UPDATE domain_claim c SET released_at = CASE WHEN c.domain <> ALL($1::text[]) THEN $2::timestamptz END
WHERE (c.released_at IS NULL) = (c.domain <> ALL($1::text[]))
    AND (c.domain = ANY($1::text[]) OR c.claimed_at < $2::timestamptz - interval '7 days')
    AND EXISTS (SELECT FROM statuspage p WHERE p.domain = c.domain)
"""
