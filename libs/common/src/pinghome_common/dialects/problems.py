"""The error responses of operations in OpenAPI, in the form of each dialect."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

Responses = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """An error, as a sentence that says what to do."""

    message: str = Field(examples=["name: must have at least 1 character"])


class Problems(Problem):
    """An error with a message for each invalid field."""

    class OfField(BaseModel):
        """One field."""

        field: str = Field(examples=["conditions.0.operator"])
        message: str

    errors: list[OfField]


TEXT: Responses = {200: {"content": {"text/plain": {}}}}
"""The answer of an operation that returns plain text."""

_PLACE = "#/components/schemas/{model}"
SCHEMAS: dict[str, Any] = models_json_schema(
    [(Problem, "serialization"), (Problems, "serialization")], ref_template=_PLACE
)[1]["$defs"]
"""Their schemas in OpenAPI: FastAPI would make a validator of each for each error of each route."""


def problem(description: str, of: type[Problem] = Problem) -> dict[str, Any]:
    """An error in the responses of an operation."""
    schema = {"$ref": _PLACE.format(model=of.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_SERVER: Responses = {
    status: problem(description)
    for status, description in {
        400: "not valid JSON, or not a valid HTTP request",
        408: "the request took too long to arrive",
        413: "the body is too long",
        414: "the URL is too long",
        429: "too many wrong tokens or requests; `Retry-After` says when to try again",
        431: "too many or too long headers",
        503: "a part of the platform is unavailable or overloaded; try again",
    }.items()
}
"""Errors of any request."""

_COMMAND: Responses = {
    403: problem("a read-only token"),
    409: problem("it already exists, or the `Idempotency-Key` was used for another request"),
    412: problem("`If-Match` names another version"),
}


def of_pinghome(methods: Iterable[str], *, public: bool) -> Responses:
    """The errors of an operation in PingHome's dialect; a public one needs no token."""
    found = _SERVER | {
        404: problem("no such id" + ("" if public else " in your organisation")),
        422: problem("fields that are missing, of the wrong type or out of range", Problems),
    }
    if public:
        return found | {405: problem("a method that is not accepted here")}
    found |= {401: problem("no token, or an unknown one")}
    return found if {*methods} <= {"GET", "HEAD"} else found | _COMMAND


def of_healthchecks(methods: Iterable[str]) -> Responses:
    """The errors of an operation in Healthchecks' dialect."""

    def example(error: str) -> dict[str, Any]:
        return {"content": {"application/json": {"example": {"error": error}}}}

    reads = {*methods} <= {"GET", "HEAD"}
    own: Responses = {
        400: {"description": "not valid JSON, an invalid field, or not a valid HTTP request"}
        | example("json validation error: name is too long"),
        401: {"description": "no key, or a wrong one"} | example("wrong api key"),
        403: {"description": "another project's check" + ("" if reads else ", or too many checks")},
        404: {"description": "no such check"},
        429: {"description": "too many wrong keys or requests; `Retry-After` says when to try again"}
        | example("Too many wrong tokens came from your address; try again in 20 seconds."),
        503: {"description": "a part of the platform is unavailable or overloaded; try again"}
        | example("PostgreSQL is not reachable."),
    }
    return _SERVER | own


def of_pings() -> Responses:
    """The errors of a ping in Healthchecks' dialect, in plain text."""

    def example(description: str, text: str) -> dict[str, Any]:
        return {"description": description, "content": {"text/plain": {"example": text}, "application/json": {}}}

    return _SERVER | {
        400: example(
            "an exit status above 255, a run id that is not a UUID, or not a valid HTTP request", "invalid url format"
        ),
        404: example("no such check or key", "not found"),
        409: example("several checks have this slug", "ambiguous slug"),
        503: example("the ping could not be stored; try again", "The check-in could not be stored; please try again."),
    }


def of_pingpong(methods: Iterable[str], *, keyed: bool) -> Responses:
    """The errors of an operation in PingPong's dialect; widgets need no key."""

    def example(description: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"description": description, "content": {"application/json": {"example": body}}}

    found = _SERVER | {
        404: example("no such id on your page", {"detail": "Not found."}),
        429: example(
            "too many wrong tokens or requests; `Retry-After` says when to try again",
            {"detail": "Request was throttled. Expected available in 20 seconds."},
        ),
        503: example(
            "a part of the platform is unavailable or overloaded; try again", {"detail": "PostgreSQL is not reachable."}
        ),
    }
    if not keyed:
        return found
    found[401] = example("no token, or an unknown one", {"detail": "Authentication credentials were not provided."})
    if {*methods} <= {"GET", "HEAD"}:
        return found
    return found | {
        400: example(
            "not valid JSON, an invalid field, or not a valid HTTP request", {"name": ["This field is required."]}
        ),
        403: example("a read-only token", {"detail": "You do not have permission to perform this action."}),
        409: example("it cannot be changed any more", {"detail": "The maintenance has ended; its times stay."}),
    }
