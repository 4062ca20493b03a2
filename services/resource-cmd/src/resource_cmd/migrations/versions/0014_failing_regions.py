"""Monitors that are up though regions fail have to be looked at until these are well again."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE resource ADD degraded boolean NOT NULL DEFAULT false")
