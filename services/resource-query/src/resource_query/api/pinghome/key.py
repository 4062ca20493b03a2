"""Who is calling, and the organisation's keys: our extension (contract K)."""

from contextlib import suppress

from fastapi import Request, Response

from pinghome_common.dialects import pinghome_keys as documents
from pinghome_common.dialects.pinghome import Authorized, Router, answer, read_only
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Paged, listing
from pinghome_common.dialects.problems import problem
from pinghome_common.errors import Unavailable
from pinghome_common.events.key import Scope

routes = Router(tags=["Keys"])


@routes.get("/v1/caller", responses=shows(documents.CALLER))
async def caller(request: Request, caller: Authorized) -> Response:
    """The organisation and the key of the token; of a session, the key that it goes with (our extension).

    `operator` is true for tokens of the first organisation that may write.
    """
    organisations = request.app.state.organisations
    if not (name := organisations.name(caller.organisation)):
        await _catch_up(request)
        name = organisations.name(caller.organisation)
    return answer(
        {
            "organisation": {"id": caller.organisation, "name": name},
            "key": {"id": caller.root, "name": caller.name},
            "scope": caller.scope,
            "operator": organisations.operates(caller),
        }
    )


@routes.get("/v1/keys", responses=listed(documents.KEY) | {403: problem("a read-only token")})
async def collection(request: Request, caller: Authorized, page: Paged) -> Response:
    """The organisation's keys, oldest first, without their secrets (our extension). Sessions are not among them."""
    if caller.scope is Scope.read:
        raise read_only()
    await _catch_up(request)
    keys = request.app.state.directory.of(caller.organisation)
    shown = [documents.key(it) for it in keys[page.offset : page.offset + page.limit]]
    return answer(listing(shown, page, len(keys)))


async def _catch_up(request: Request) -> None:
    """Waits for the newest keys and organisations; without the broker what is known here is shown."""
    with suppress(Unavailable):
        await request.app.state.directory.caught_up()
