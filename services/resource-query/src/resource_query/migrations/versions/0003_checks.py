"""Runs with ids, and heartbeats found by their unique keys."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE vitals ADD COLUMN run_id uuid")
