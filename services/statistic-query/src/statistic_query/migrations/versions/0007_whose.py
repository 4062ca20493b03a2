"""Whose a check is, is known of every monitor: pings need no note of their own."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE tally DROP COLUMN service")
