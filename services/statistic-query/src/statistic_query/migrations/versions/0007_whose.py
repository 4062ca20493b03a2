"""The service of a heartbeat is in `monitor`, for pings as well."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE tally DROP COLUMN service")
