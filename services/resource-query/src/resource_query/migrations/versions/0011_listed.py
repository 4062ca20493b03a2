"""When what the list of a service's checks shows has changed last, so that one that has not is not made again."""

from alembic import op

revision = "0011"
down_revision = "0010"

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE listed (
            service uuid PRIMARY KEY,
            changed_at bigint NOT NULL  -- UNIX microseconds, never the same twice, even after a backup was restored
        ) WITH (fillfactor = 50)
    """)
    # By triggers, as a process of the version before may be the one that projects, and as a rebuild mends rows.
    for name, services in (
        ("of_heartbeats", "SELECT DISTINCT service FROM changed"),
        ("of_services", "SELECT id AS service FROM changed"),
        ("of_pings", "SELECT DISTINCT service FROM heartbeat WHERE id IN (SELECT heartbeat FROM changed)"),
    ):
        op.execute(f"""
            CREATE FUNCTION list_changed_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO listed AS l SELECT service, {NOW} FROM ({services} ORDER BY 1) s
                ON CONFLICT (service) DO UPDATE SET changed_at = greatest(l.changed_at + 1, excluded.changed_at);
                RETURN NULL;
            END $$
        """)  # noqa: S608  # our own words
    op.execute(f"""
        CREATE FUNCTION list_changed_moved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE listed SET changed_at = greatest(changed_at + 1, {NOW}) WHERE service = OLD.service;
            RETURN NULL;
        END $$
    """)  # noqa: S608  # our own words
    for table, function, happens in (
        ("heartbeat", "of_heartbeats", ("INSERT", "UPDATE", "DELETE")),
        ("service", "of_services", ("INSERT", "UPDATE", "DELETE")),
        ("runtime_state", "of_pings", ("UPDATE",)),
    ):
        op.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        for what in happens:
            op.execute(f"""
                CREATE TRIGGER list_changed_{what.lower()} AFTER {what} ON {table}
                REFERENCING {"OLD" if what == "DELETE" else "NEW"} TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION list_changed_{function}()
            """)
    op.execute("""
        CREATE TRIGGER list_changed_moved AFTER UPDATE OF service ON heartbeat
        FOR EACH ROW WHEN (OLD.service <> NEW.service) EXECUTE FUNCTION list_changed_moved()
    """)
    services = "SELECT service FROM heartbeat UNION SELECT id FROM service"
    op.execute(f"INSERT INTO listed SELECT service, {NOW} FROM ({services}) s")  # noqa: S608
