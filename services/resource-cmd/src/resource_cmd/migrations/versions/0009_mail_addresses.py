"""Mail addresses that somebody there has confirmed; those of channels that exist already count as confirmed."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = """
-- `due` is when the link is to be mailed, null once it was; `tries` counts failures.
CREATE TABLE mail_address (
    organisation uuid NOT NULL, address text NOT NULL, confirmed_at timestamptz, mailed_at timestamptz,
    due timestamptz DEFAULT now(), tries int NOT NULL DEFAULT 0, PRIMARY KEY (organisation, address)
);
CREATE INDEX mail_address_due ON mail_address (due) WHERE due IS NOT NULL;

INSERT INTO mail_address (organisation, address, confirmed_at, due)
SELECT organisation, lower(address), now(), NULL FROM (
    SELECT organisation, jsonb_array_elements_text(state->'shown'->'to') AS address
    FROM channel WHERE state->>'kind' = 'email'
    UNION SELECT organisation, state->>'integration' FROM integration WHERE type = 'email'
) AS known ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
