"""Sessions: what a token or a one-time link is exchanged for, so that neither is kept (contract K, our extension)."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pinghome_common.dialects.pinghome import Authorized, Router, answer, authenticated
from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.dialects.pinghome_fields import Text
from pinghome_common.dialects.problems import problem
from pinghome_common.directory import Caller
from pinghome_common.errors import Conflict, FieldError, Invalid, Unauthorized
from resource_cmd.accounts import session

routes = Router(tags=["Sessions"], any_scope=True)
public = Router(tags=["Sessions"], public=True)


class OpenSession(BaseModel):
    """The code of a one-time link; nothing with a token."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    code: Text = Field("", max_length=100, description="of a link of `pinghome console link`, in place of a token")


async def _caller(request: Request) -> Caller | None:
    named = request.headers.get("authorization")
    return await authenticated(request, any_scope=True) if named else None


OPENED = {"token": "ph_L5uC0Sx0yR1b6Tn2o3q4Vd8eFgHjKmNpQrStUvWxYz0", "expires_at": "2026-12-04T10:00:00Z"}
REFUSED: dict[int | str, dict[str, Any]] = {401: problem("neither a token nor a code, or an unknown one")}


@public.post(
    "/v1/session",
    status_code=201,
    responses=shows(OPENED, 201) | REFUSED,
    openapi_extra={"security": [{"HTTPBearer": []}, {}]},
)
async def create(
    request: Request, caller: Annotated[Caller | None, Depends(_caller)], body: OpenSession | None = None
) -> Response:
    """Opens a session of seven days, with a token of any scope, or without one by the code of a link (our extension).

    Its token does what the one that it was exchanged for does, and ends with it; that of a link may write. The answer
    is the only one that shows it. A key has at most 100 sessions; one more ends the oldest.
    """
    state, code, id_ = request.app.state, body.code if body else "", request.scope["state"]["request_id"]
    if caller and code:
        raise Invalid(FieldError("code", "is not taken together with a token"))
    if not caller and not code:
        raise Unauthorized("Unauthorized")
    try:
        async with state.db.transaction() as tx:
            made = await (session.of_key(tx, caller, id_) if caller else session.of_code(tx, code, id_))
    except Unauthorized:
        if code:
            state.wrong_tokens.count(request.scope["client"])
        raise
    state.relay.wake()
    await state.directory.shows(made.id, there=True, most=state.progress.most)
    return answer({"token": made.token, "expires_at": moment(made.expires_at)}, 201)


@routes.delete("/v1/session", responses=shows({"message": "Session ended"}))
async def delete(request: Request, caller: Authorized) -> Response:
    """Ends the calling session; the token that it was exchanged for stays (our extension). Other tokens are 409."""
    if not caller.is_session:
        raise Conflict("This token is not that of a session; a key is revoked by DELETE /v1/key/{id}.")
    state = request.app.state
    async with state.db.transaction() as tx:
        await session.close(tx, caller, request.scope["state"]["request_id"])
    state.relay.wake()
    await state.directory.shows(caller.key, there=False, most=state.progress.most)
    return answer({"message": "Session ended"})
