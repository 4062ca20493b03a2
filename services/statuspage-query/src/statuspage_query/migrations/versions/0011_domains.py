"""Pages with a domain, looked for every five seconds among all pages."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("CREATE INDEX statuspage_with_domain ON statuspage (id) WHERE state->>'domain' <> ''")
