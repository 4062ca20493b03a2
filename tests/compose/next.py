"""The migration of a next version: new columns of tables that are in use, and an index."""

from pathlib import Path

from alembic import op

revision = "9999"
down_revision = sorted(path.name.split("_")[0] for path in Path(__file__).parent.glob("*.py"))[-2]


def upgrade() -> None:
    """As a version that is compatible with the one before it does."""
    op.execute("ALTER TABLE checkpoint ADD COLUMN next text NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX checkpoint_next ON checkpoint (next)")
