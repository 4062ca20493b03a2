"""PingHome's audit log: who has changed what (contract K, our extension)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from pinghome_common import audit
from pinghome_common.audit import Wanted
from pinghome_common.dialects.pinghome import answer
from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.directory import Caller
from pinghome_common.errors import FieldError, Invalid

By = Literal["key", "session", "command line", "worker", "anybody"]
_KINDS: Sequence[str] = By.__args__  # type: ignore[attr-defined]

_OUR_WORDS = {
    "period": "interval",
    "desc": "description",
    "tz": "timezone",
    "shown": "config",
    "target": "config",
    "config": "config",
    "sealed": "secrets",
    "header_names": "headers",
    "has_body": "body",
    "has_token": "token",
}
"""Fields that the API calls otherwise than their events."""

EVENTS = shows(
    {
        "data": [
            {
                "id": 17958034517,
                "at": "2026-11-21T21:50:15.061Z",
                "noun": "resource",
                "subject": "906a3444-15ce-4410-8041-89a238e9e91f",
                "name": "Shop",
                "what": "updated",
                "by": {"kind": "key", "id": "c03b02ec-244f-4d2c-8f68-3910071ed5c8", "name": "terraform"},
                "fields": ["interval", "regions"],
            }
        ]
    }
)


def asked(nouns: Sequence[str]) -> Any:
    """The dependency that says what of the log is asked for; `nouns` are those of its events."""
    words = [noun.replace("_", "-") for noun in nouns]
    about = Query(description=f"one of {', '.join(words)}")

    async def wanted(
        before: Before = None,
        noun: Annotated[str | None, about] = None,
        id: OfOne = None,  # noqa: A002  # the contract's word
        by: Who = None,
    ) -> Wanted:
        if noun is not None and noun not in words:
            raise Invalid(FieldError("noun", f"must be one of {', '.join(words)}"))
        who = by if by is None or by in _KINDS else _key(by)
        return Wanted(before, noun.replace("-", "_") if noun else None, id, who)

    return Depends(wanted)


Before = Annotated[int | None, Query(ge=1, le=(1 << 63) - 1, description="for the next page: the `id` of the last one")]
OfOne = Annotated[Id | None, Query(description="only about this one")]
Who = Annotated[
    str | None,
    Query(
        description=f"{', '.join(_KINDS)}, or the id of a key, to which its sessions count; default: all but workers"
    ),
]


def _key(text: str) -> UUID:
    try:
        return UUID(text) if len(text) == 36 and text.isascii() else _nobody()
    except ValueError:
        return _nobody()


def _nobody() -> UUID:
    raise Invalid(FieldError("by", f"must be one of {', '.join(_KINDS)}, or the id of a key"))


Limit = Annotated[int, Query(ge=1, le=500)]


async def entries(request: Request, caller: Caller, wanted: Wanted, limit: int) -> Response:
    """Entries of the caller's organisation, newest first."""
    state = request.app.state
    names = {key.id: key.name for key in state.directory.of(caller.organisation)}
    rows = await audit.read(state.db, caller.organisation, wanted, limit)
    return answer({"data": [_document(row, names) for row in rows]})


def _document(row: Any, names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": row["seq"],
        "at": moment(row["at"]),
        "noun": row["noun"].replace("_", "-"),
        "subject": row["subject"],
        "name": row["name"],
        "what": row["what"],
        "by": _by(row, names),
        "fields": sorted({_OUR_WORDS.get(field, field) for field in row["fields"]}),
    }


def _by(row: Any, names: dict[UUID, str]) -> dict[str, Any] | None:
    """Who it was; keys of before the log was kept are known by name as long as they live."""
    match row["kind"]:
        case None:
            return None
        case "key" if row["session"]:
            return {"kind": "session", "id": row["root"], "name": row["by_name"]}
        case "key":
            id_ = UUID(row["actor"])
            return {"kind": "key", "id": id_, "name": row["by_name"] or names.get(id_)}
        case "worker":
            return {"kind": "worker", "id": None, "name": row["actor"]}
    return {"kind": row["kind"], "id": None, "name": None}
