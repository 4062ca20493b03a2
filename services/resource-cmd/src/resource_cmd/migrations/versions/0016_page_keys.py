"""The keys of a status page are found when it is deleted."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("CREATE INDEX key_page ON key ((state->>'page')) WHERE state->>'page' IS NOT NULL")
