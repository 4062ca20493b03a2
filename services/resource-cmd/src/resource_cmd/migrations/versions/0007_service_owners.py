"""Whose each `service_id` is: the first organisation to use one owns it."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("CREATE TABLE service_owner (service uuid PRIMARY KEY, organisation uuid NOT NULL)")
    # Whoever made a service by name has it; of others the oldest use counts, as ids are in the order of their time.
    op.execute("INSERT INTO service_owner SELECT id, organisation FROM service")
    op.execute("""
        INSERT INTO service_owner SELECT DISTINCT ON (service) service, organisation FROM (
            SELECT service, organisation, id FROM resource
            UNION ALL SELECT service, organisation, id FROM heartbeat
            UNION ALL SELECT (state->>'service_id')::uuid, organisation, id FROM channel
        ) AS used WHERE service IS NOT NULL ORDER BY service, id
        ON CONFLICT DO NOTHING
    """)
