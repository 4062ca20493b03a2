"""Tables are called what they hold."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE vitals RENAME TO runtime_state")
    op.execute("ALTER TABLE view RENAME TO region_observation")
