"""How many monitors, heartbeats, servers, channels and services there are, so that no page of a list counts them."""

from alembic import op

revision = "0010"
down_revision = "0009"

ALL = "'00000000-0000-0000-0000-000000000000'::uuid"
IN_SERVICES = ("resource", "heartbeat", "server_resource", "channel")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE counted (
            organisation uuid NOT NULL,
            noun text NOT NULL,
            service uuid NOT NULL,  -- zeros: of the whole organisation
            n bigint NOT NULL,
            PRIMARY KEY (organisation, noun, service)
        ) WITH (fillfactor = 50)
    """)
    # By triggers, so that a process of the version before, which runs during an upgrade, and a rebuild count as well;
    # once for each statement, for many changes of one row in one transaction would each walk along those before it.
    for noun in (*IN_SERVICES, "service"):
        for what, sign, rows in (("INSERT", "", "NEW"), ("DELETE", "-", "OLD")):
            name = f"count_{noun}_{what.lower()}"
            op.execute(f"""
                CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    {_add(noun, sign)};
                    RETURN NULL;
                END $$
            """)
            op.execute(f"LOCK TABLE {noun} IN SHARE ROW EXCLUSIVE MODE")
            op.execute(f"""
                CREATE TRIGGER {name} AFTER {what} ON {noun} REFERENCING {rows} TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION {name}()
            """)
        op.execute(_add(noun, "").replace("FROM changed", f"FROM {noun}"))
    op.execute("""
        CREATE FUNCTION count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO counted AS c
            VALUES (NEW.organisation, TG_TABLE_NAME, NEW.service, 1), (OLD.organisation, TG_TABLE_NAME, OLD.service, -1)
            ON CONFLICT (organisation, noun, service) DO UPDATE SET n = c.n + excluded.n;
            RETURN NULL;
        END $$
    """)
    for noun in IN_SERVICES:
        op.execute(f"""
            CREATE TRIGGER count_{noun}_moved AFTER UPDATE OF service ON {noun}
            FOR EACH ROW WHEN (OLD.service <> NEW.service) EXECUTE FUNCTION count_moved()
        """)


def _add(noun: str, sign: str) -> str:
    sets, of = ("(organisation)", ALL)
    if noun in IN_SERVICES:
        sets, of = ("(organisation), (organisation, service)", f"coalesce(service, {ALL})")
    return f"""
        INSERT INTO counted AS c
        SELECT organisation, '{noun}', {of}, {sign}count(*) FROM changed GROUP BY GROUPING SETS ({sets}) ORDER BY 1, 3
        ON CONFLICT (organisation, noun, service) DO UPDATE SET n = c.n + excluded.n
    """  # noqa: S608  # our own words
