"""Up to which event a rebuild has mended the records, for those who follow their changes."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("CREATE TABLE mended (stream text PRIMARY KEY, seq bigint NOT NULL)")
