"""What a caller may read."""

from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects.pinghome import Authorized
from statuspage_query.read import Read


async def _read(request: Request, caller: Authorized) -> Read:
    return Read(request.app.state.db, caller.organisation)


Reading = Annotated[Read, Depends(_read)]
