"""Pings numbered for each heartbeat, with body, exit status and run id."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
-- What storing the pings of a heartbeat needs to know: their number, the current run, the service.
-- `last_event` and `ignores_from` are UNIX microseconds; pings up to number `dropped` are deleted.
CREATE TABLE tally (
    heartbeat uuid PRIMARY KEY, service uuid, version int NOT NULL DEFAULT 0, n bigint NOT NULL DEFAULT 0,
    dropped bigint NOT NULL DEFAULT 0, last_event bigint, running boolean NOT NULL DEFAULT false, run_id uuid,
    ignores_from bigint
) WITH (fillfactor = 70);

ALTER TABLE ping ADD COLUMN n bigint NOT NULL DEFAULT 0, ADD COLUMN body bytea, ADD COLUMN exit_status smallint,
    ADD COLUMN run_id uuid, ADD COLUMN ignored boolean NOT NULL DEFAULT false;
UPDATE ping SET n = numbered.n FROM (
    SELECT id, at, row_number() OVER (PARTITION BY heartbeat ORDER BY at, id) AS n FROM ping
) AS numbered WHERE ping.id = numbered.id AND ping.at = numbered.at;
INSERT INTO tally (heartbeat, n) SELECT heartbeat, count(*) FROM ping GROUP BY heartbeat;

-- Events are projected again, for the service of each heartbeat.
DELETE FROM checkpoint WHERE stream = 'EVENTS'
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
