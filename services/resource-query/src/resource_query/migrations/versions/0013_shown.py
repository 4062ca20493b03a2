"""What each monitor, heartbeat and server shows, and how many of each noun show what, so that nobody counts them."""

from alembic import op

revision = "0013"
down_revision = "0012"

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
# As `events.heartbeat.shown` says it. A reading names its schema: in a rebuild, temporary tables have the same names.
RUN = "v.last_start + coalesce(nullif((h.state->>'grace')::bigint, 0), (h.state->>'period')::bigint) * 1000000"
HEARTBEATS = f"""
    SELECT id, 'heartbeat', organisation,
        CASE WHEN status = 'paused' THEN 'paused' WHEN run_until > {NOW} THEN 'running'
            WHEN run_until IS NOT NULL THEN 'down' WHEN status = 'new' THEN 'pending' ELSE status END,
        CASE WHEN run_until <= {NOW} AND status <> 'down' THEN run_until ELSE changed_at END, run_until
    FROM (
        SELECT h.id, h.organisation, v.status, v.changed_at, CASE WHEN v.status <> 'paused' THEN {RUN} END AS run_until
        FROM public.heartbeat h JOIN public.runtime_state v ON v.heartbeat = h.id {{}}
    ) job
"""  # noqa: S608  # our own words
JUDGED = """
    SELECT id, '{}', organisation, state->'change'->>'status',
        (extract(epoch FROM (state->'change'->>'at')::timestamptz) * 1000000)::bigint, NULL::bigint FROM {}
"""
STORE = """
    INSERT INTO public.shown AS s {}
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since, run_until = excluded.run_until
    WHERE (s.state, s.since, s.run_until) IS DISTINCT FROM (excluded.state, excluded.since, excluded.run_until)
"""
ADD = """
    INSERT INTO public.counted_by_state AS c
    SELECT organisation, noun, state, sum(n) FROM ({}) d GROUP BY 1, 2, 3 HAVING sum(n) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (organisation, noun, state) DO UPDATE SET n = c.n + excluded.n
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE shown (
            id uuid PRIMARY KEY,
            noun text NOT NULL,
            organisation uuid NOT NULL,
            state text NOT NULL,
            since bigint NOT NULL,  -- UNIX microseconds, as all times here
            run_until bigint  -- of a heartbeat with a run: when it is down unless that has ended
        ) WITH (fillfactor = 70)
    """)
    op.execute("CREATE INDEX shown_down ON shown (organisation, since, id) WHERE state = 'down'")
    op.execute("CREATE INDEX shown_running ON shown (run_until) WHERE state = 'running'")
    op.execute("""
        CREATE TABLE counted_by_state (
            organisation uuid NOT NULL,
            noun text NOT NULL,
            state text NOT NULL,
            n bigint NOT NULL,
            PRIMARY KEY (organisation, noun, state)
        ) WITH (fillfactor = 50)
    """)
    # By triggers, as those of migration 0010 and for the same reasons.
    _on("shown", "INSERT", ADD.format(_counted("after", 1)))
    _on("shown", "DELETE", ADD.format(_counted("before", -1)))
    _on("shown", "UPDATE", ADD.format(f"{_counted('after', 1)} UNION ALL {_counted('before', -1)}"))
    for noun in ("resource", "server_resource"):
        for what in ("INSERT", "UPDATE"):
            _on(noun, what, STORE.format(JUDGED.format(noun, "after")))
        op.execute(STORE.format(JUDGED.format(noun, noun)))
    _on(
        "runtime_state", "INSERT", STORE.format(HEARTBEATS.format("WHERE v.heartbeat IN (SELECT heartbeat FROM after)"))
    )
    # Most pings leave what is shown as it is: rows that do not count are not even kept until the end of the statement.
    op.execute(f"""
        CREATE FUNCTION show_runtime_state_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            {STORE.format(HEARTBEATS.format("WHERE v.heartbeat = NEW.heartbeat"))}; RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER show_runtime_state_update AFTER UPDATE ON runtime_state FOR EACH ROW
        WHEN (
            OLD.status IS DISTINCT FROM NEW.status OR OLD.last_start IS DISTINCT FROM NEW.last_start
            OR OLD.changed_at IS DISTINCT FROM NEW.changed_at
        )
        EXECUTE FUNCTION show_runtime_state_update()
    """)
    _on("heartbeat", "UPDATE", STORE.format(HEARTBEATS.format("WHERE h.id IN (SELECT id FROM after)")))
    op.execute(STORE.format(HEARTBEATS.format("")))
    for noun in ("resource", "heartbeat", "server_resource"):
        _on(noun, "DELETE", "DELETE FROM public.shown WHERE id IN (SELECT id FROM before)")


def _counted(rows: str, n: int) -> str:
    return f"SELECT organisation, noun, state, {n} AS n FROM {rows}"  # noqa: S608


def _on(table: str, what: str, statement: str) -> None:
    """Has a statement run after each one that changes a table."""
    name = f"show_{table}_{what.lower()}"
    rows = {"INSERT": "NEW TABLE AS after", "DELETE": "OLD TABLE AS before"}
    changed = rows.get(what) or " ".join(rows.values())
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$"
    )
    op.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    op.execute(f"""
        CREATE TRIGGER {name} AFTER {what} ON {table} REFERENCING {changed} FOR EACH STATEMENT EXECUTE FUNCTION {name}()
    """)
