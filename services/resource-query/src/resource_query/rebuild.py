"""What of this service's tables can be made again from the event log."""

from pinghome_common import mended
from pinghome_common.audit import Audit
from pinghome_common.db import Connection
from pinghome_common.rebuild import Log, ReadModel
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from resource_query.project import NOUNS, SUBJECTS, Projector


def read_model(broker: Broker, settings: Settings) -> ReadModel:
    """The records of everything; observations, newest figures and probers come from telemetry and stay.

    What triggers keep beside them follows what is mended: `counted`, `shown`, `counted_by_state`, `listed`.
    """
    audit = Audit(settings.audit_kept_days, attach=False)

    async def complete(tx: Connection) -> None:
        await audit.complete(tx)
        await _count_pings(tx)

    return ReadModel(
        database="resource_query",
        logs=[
            Log(
                database="resource_cmd",
                stream="EVENTS",
                subjects=SUBJECTS,
                apply=Projector(broker, audit).events,
            )
        ],
        tables=[*NOUNS, "runtime_state", "audit", "audited", "actor"],
        scratch=["region_observation", "server_newest"],
        complete=complete,
        changed=mended.note,
    )


async def _count_pings(tx: Connection) -> None:
    """Of heartbeats that were pinged since their last event, pings tell the rest, which are not in the log."""
    await tx.execute(_FORGET)
    await tx.execute(_TAKE_OVER)


_FORGET = """
DELETE FROM pg_temp.runtime_state t USING public.runtime_state l
WHERE l.heartbeat = t.heartbeat AND l.version = t.version AND l.position > t.position
"""

_TAKE_OVER = """
INSERT INTO pg_temp.runtime_state SELECT l.* FROM public.runtime_state l JOIN pg_temp.heartbeat h ON h.id = l.heartbeat
WHERE NOT EXISTS (SELECT FROM pg_temp.runtime_state t WHERE t.heartbeat = l.heartbeat)
"""
