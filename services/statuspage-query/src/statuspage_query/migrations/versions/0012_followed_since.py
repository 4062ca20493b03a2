"""What is followed, by time: a page's timelines begin 90 days ago, however long its components have been there."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("CREATE INDEX followed_change_at ON followed_change (followed, at)")
