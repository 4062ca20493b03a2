"""Heartbeats found by their unique keys."""

import hashlib
from uuid import UUID

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"


def unique_key(id_: UUID) -> str:
    return hashlib.sha1(id_.hex[:16].encode(), usedforsecurity=False).hexdigest()


def upgrade() -> None:
    op.execute("ALTER TABLE heartbeat ADD COLUMN unique_key text")
    ids = op.get_bind().execute(text("SELECT id FROM heartbeat")).scalars().all()
    if ids:
        keys = [{"id": id_, "key": unique_key(id_)} for id_ in ids]
        op.get_bind().execute(text("UPDATE heartbeat SET unique_key = :key WHERE id = :id"), keys)
    op.execute("CREATE INDEX heartbeat_unique_key ON heartbeat (unique_key)")
