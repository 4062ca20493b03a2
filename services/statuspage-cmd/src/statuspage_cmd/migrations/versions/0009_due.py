"""What is due has its channel in the index: with nothing due, plans look for a channel's in it, and keep that."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("DROP INDEX notification_due")
    op.execute("CREATE INDEX notification_due ON notification (due, channel) WHERE due IS NOT NULL")
