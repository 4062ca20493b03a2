"""Up to which event a rebuild has mended the records, for those who follow their changes."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("CREATE TABLE mended (stream text PRIMARY KEY, seq bigint NOT NULL)")
