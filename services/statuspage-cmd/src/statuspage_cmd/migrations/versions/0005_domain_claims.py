"""Which organisation has claimed a domain last, and since when it is released."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE domain_claim (
            domain text PRIMARY KEY,
            organisation uuid NOT NULL,
            claimed_at timestamptz NOT NULL,
            released_at timestamptz
        )
    """)
    op.execute("CREATE INDEX domain_claim_of ON domain_claim (organisation, claimed_at)")
    op.execute("""
        INSERT INTO domain_claim
        SELECT domain, organisation, (state->>'created_at')::timestamptz FROM statuspage WHERE domain IS NOT NULL
    """)
