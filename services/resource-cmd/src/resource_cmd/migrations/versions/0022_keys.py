"""The keys of an organisation are counted, but for those of servers' agents and sessions."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("CREATE INDEX key_of ON key (organisation) WHERE expires_at IS NULL AND state->>'server' IS NULL")
