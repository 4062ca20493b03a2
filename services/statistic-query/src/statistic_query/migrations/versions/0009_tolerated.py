"""The tolerated protocol violations of an answer."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE failure ADD COLUMN tolerated text NOT NULL DEFAULT ''")
