"""Check-ins: contract A39, pinghome-monitoring.txt lines 1467 to 1500."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from data_gateway.api.body import read_body
from data_gateway.api.ping_fast_path import RESULTS
from data_gateway.ping_intake import PingIntake
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.errors import FieldError, Invalid

routes = Router(public=True, tags=["Heartbeats"])

Result = StrEnum("Result", {name: name for name in RESULTS})  # type: ignore[misc]  # the names are those of RESULTS
Id = Annotated[str, Path(examples=["c03b02ec-244f-4d2c-8f68-3910071ed5c8"])]
ResultParameter = Annotated[Result | None, Query(description="default: tick", examples=["tick"])]
Message = Annotated[str, Query(description="the first 1000 characters are kept", examples=["Tick event sent"])]


class CheckIn(BaseModel):
    """The parameters in a JSON body, for POST, PUT and PATCH (our extension)."""

    result: Result | None = None
    message: str = Field("", max_length=1 << 20)


@routes.get("/v1/heartbeat/{id}", responses=shows({"message": "OK"}))
@routes.post("/v1/heartbeat/{id}", responses=shows({"message": "OK"}))
@routes.put("/v1/heartbeat/{id}", include_in_schema=False)
@routes.patch("/v1/heartbeat/{id}", include_in_schema=False)
@routes.delete("/v1/heartbeat/{id}", include_in_schema=False)
@routes.options("/v1/heartbeat/{id}", include_in_schema=False)
async def check_in(request: Request, id: Id, result: ResultParameter = None, message: Message = "") -> Response:  # noqa: A002
    """Records a check-in; no token is needed, the id is the secret (A39).

    200 means that the check-in is on disk. Methods other than the heartbeat's `methods` get 405.
    """
    intake: PingIntake = request.app.state.intake
    limit = request.app.state.settings.body_limit
    body = await read_body(request.receive, limit + 1)
    if len(body) <= limit and body.lstrip()[:1] == b"{":  # anything else is a job's output
        sent = _read(body)
        result, message = result or sent.result, message or sent.message
    await intake.accept(id, request.scope, RESULTS[result or "tick"], message)
    return answer({"message": "OK"})


def _read(body: bytes) -> CheckIn:
    try:
        return CheckIn.model_validate(from_json(body, allow_inf_nan=False))
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(FieldError(".".join(map(str, first["loc"]))[:100] or "body", first["msg"])) from None
    except ValueError:
        raise Invalid(FieldError("body", "is not valid JSON")) from None
