"""Runs with ids, and heartbeats that are found by their tags, slugs and unique keys."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE vitals ADD COLUMN run_id uuid")
