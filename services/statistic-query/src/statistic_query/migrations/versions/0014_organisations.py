"""All that an organisation has, by service."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("CREATE INDEX monitor_of ON monitor (organisation, service, id)")
