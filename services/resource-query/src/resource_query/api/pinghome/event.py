"""Who has changed what: contract K, our extension."""

from typing import Annotated

from fastapi import Request, Response

from pinghome_common.audit import Wanted
from pinghome_common.dialects import pinghome_audit
from pinghome_common.dialects.pinghome import Authorized, Router
from resource_query.project import AUDITED

routes = Router(tags=["Overview"])

Asked = Annotated[Wanted, pinghome_audit.asked((*AUDITED, "session"))]


@routes.get("/v1/events", responses=pinghome_audit.EVENTS)
async def events(request: Request, caller: Authorized, wanted: Asked, limit: pinghome_audit.Limit = 50) -> Response:
    """The audit log of records, keys and the organisation itself, newest first (our extension).

    `by` says who it was: a key, a session by its key or as a console link, the command line, or a worker of the
    platform; null of changes from before this was noted. `fields` are the names of what has changed, never values.
    """
    return await pinghome_audit.entries(request, caller, wanted, limit)
