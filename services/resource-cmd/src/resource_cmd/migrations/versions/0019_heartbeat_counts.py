"""How many heartbeats each service has, so that creating one need not count them; indexes for `unique`."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE heartbeat_count (
            service uuid NOT NULL,
            shard int NOT NULL,  -- by connection, so that those who create at the same time seldom wait for each other
            n bigint NOT NULL,   -- negative where this connection has deleted what others created
            PRIMARY KEY (service, shard)
        ) WITH (fillfactor = 50)
    """)
    # By triggers, so that processes of the version before, which run during an upgrade, count as well. Once for each
    # statement: a hundred thousand changes of one row in one transaction would each walk along those before it.
    for what, sign in (("insert", ""), ("delete", "-")):
        op.execute(f"""
            CREATE FUNCTION count_heartbeats_{what}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO heartbeat_count AS c
                SELECT service, pg_backend_pid() % 64, {sign}count(*) FROM changed GROUP BY service ORDER BY service
                ON CONFLICT (service, shard) DO UPDATE SET n = c.n + excluded.n;
                RETURN NULL;
            END $$
        """)  # noqa: S608  # our own words
    op.execute("""
        CREATE FUNCTION count_heartbeat_moved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO heartbeat_count AS c
            VALUES (NEW.service, pg_backend_pid() % 64, 1), (OLD.service, pg_backend_pid() % 64, -1)
            ON CONFLICT (service, shard) DO UPDATE SET n = c.n + excluded.n;
            RETURN NULL;
        END $$
    """)
    op.execute("LOCK TABLE heartbeat IN SHARE ROW EXCLUSIVE MODE")
    op.execute("""
        CREATE TRIGGER heartbeat_made AFTER INSERT ON heartbeat REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION count_heartbeats_insert()
    """)
    op.execute("""
        CREATE TRIGGER heartbeat_deleted AFTER DELETE ON heartbeat REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION count_heartbeats_delete()
    """)
    op.execute("""
        CREATE TRIGGER heartbeat_moved AFTER UPDATE OF service ON heartbeat
        FOR EACH ROW WHEN (OLD.service <> NEW.service) EXECUTE FUNCTION count_heartbeat_moved()
    """)
    op.execute("INSERT INTO heartbeat_count SELECT service, 0, count(*) FROM heartbeat GROUP BY service")
    # Each statement of such a function sees what was committed before it begins: the last sum is one under the lock,
    # which those who count exactly hold alone. Up to 100 may hold it at once.
    op.execute("""
        CREATE FUNCTION has_room(wanted uuid, most bigint) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT coalesce(sum(n), 0) FROM heartbeat_count WHERE service = wanted) >= most - 200
               OR NOT pg_try_advisory_xact_lock_shared(hashtextextended(wanted::text, 3)) THEN
                RETURN false;
            END IF;
            RETURN (SELECT coalesce(sum(n), 0) FROM heartbeat_count WHERE service = wanted) < most - 100;
        END $$
    """)
    op.execute("CREATE INDEX heartbeat_by_slug ON heartbeat (service, (state->>'slug'))")
    op.execute("CREATE INDEX heartbeat_by_tags ON heartbeat (service, (state->>'tags'))")
