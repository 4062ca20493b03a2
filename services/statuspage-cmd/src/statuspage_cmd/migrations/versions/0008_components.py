"""Pages by what their components follow: each change of a monitor asks for them."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("CREATE INDEX statuspage_components ON statuspage USING gin ((state->'components') jsonb_path_ops)")
