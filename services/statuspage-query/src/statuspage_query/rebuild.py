"""What of this service's tables can be made again from the event logs."""

from pinghome_common import mended
from pinghome_common.audit import Audit
from pinghome_common.db import Connection
from pinghome_common.rebuild import Log, ReadModel
from pinghome_common.settings import Settings
from statuspage_query import project
from statuspage_query.public import changes


def read_model(settings: Settings) -> ReadModel:
    """Pages with all that they tell of, and the states that they follow; response times and points stay."""
    audit = Audit(settings.audit_kept_days, attach=False)
    projector = project.Projector(audit)
    return ReadModel(
        database="statuspage_query",
        logs=[
            Log(
                database="statuspage_cmd",
                stream="STATUS_EVENTS",
                subjects=[f"status.{noun}.>" for noun in project.NOUNS],
                apply=projector.pages,
            ),
            Log(
                database="resource_cmd",
                stream="EVENTS",
                subjects=[f"events.{noun}.>" for noun in project.FOLLOWED],
                apply=projector.monitors,
            ),
        ],
        tables=[
            *("statuspage", "component", "component_change", "incident", "incident_update", "incident_change"),
            *("maintenance", "recurrence", "template", "picture", "metric", "custom_metric"),
            *("subscription", "subscribed", "followed", "followed_change", "audit", "audited", "actor"),
        ],
        scratch=["point_day", "point_gone"],
        complete=audit.complete,
        changed=_tell,
    )


async def _tell(tx: Connection) -> None:
    """Every process reads the pages anew, and who follows changes begins anew."""
    await mended.note(tx)
    await changes.tell(tx, [row["id"] for row in await tx.fetch("SELECT id FROM public.statuspage")])
